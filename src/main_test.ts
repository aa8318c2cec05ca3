import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { CONFIG_KEYS } from "./config.ts";
import { SETTINGS } from "./config/settings.ts";
import {
  LAUNCHER_FLAGS,
  Program,
  temporaryFolder,
} from "./launch/testing/program.ts";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));

async function run(...args: string[]): Promise<[number, string, string]> {
  await using program = new Program([...LAUNCHER_FLAGS, MAIN, ...args]);
  const [{ code }, stdout, stderr] = await Promise.all([
    program.exit(),
    program.stdout.toEnd(),
    program.stderr.toEnd(),
  ]);
  return [code, stdout, stderr];
}

Deno.test("--help names every flag with its default, in lines that fit a terminal", async () => {
  const [code, stdout, stderr] = await run("serve", "--help");
  assert.deepEqual([code, stderr], [0, ""]);
  const text = stdout.replace(/\s+/g, " ");
  for (const key of CONFIG_KEYS) {
    const { name, argument, defaultHelp } = SETTINGS[key];
    assert(
      text.includes(key === "root" ? argument : `--${name} ${argument}`),
      name,
    );
    assert(text.includes(`(default: ${defaultHelp})`), name);
  }
  for (const flag of ["--config FILE", "--print-command", "--version"]) {
    assert(text.includes(flag), flag);
  }
  for (const line of stdout.split("\n")) assert(line.length <= 80, line);
});

Deno.test("--version prints the version", async () => {
  assert.deepEqual(await run("--version"), [0, "larder 0.1.0\n", ""]);
});

Deno.test("a wrong command line is one line on stderr and exit code 2", async () => {
  const cases: [string[], string][] = [
    [
      ["serve", "--locl", "x"],
      "larder: unknown flag --locl: did you mean --local?\n",
    ],
    [
      ["serve", "--heartbeat-interval", "5s", "--heartbeat-timeout", "4s"],
      "larder: --heartbeat-interval 5s must be shorter than " +
      "--heartbeat-timeout 4s: shorten the one or raise the other\n",
    ],
  ];
  for (const [args, line] of cases) {
    assert.deepEqual(await run(...args), [2, "", line]);
  }
});

Deno.test("a root that cannot be used is one line on stderr and exit code 1", async () => {
  await using folder = await temporaryFolder();
  const root = `${folder.path}/file`;
  await Deno.writeTextFile(root, "");
  assert.deepEqual(await run("serve", root), [
    1,
    "",
    `larder: root ${root} is not a folder: remove it or serve another root\n`,
  ]);
});
