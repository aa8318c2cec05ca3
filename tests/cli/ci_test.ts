/** The CI job in docs/CLI.md, and the package that it installs. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { outputOf } from "../client/npm_package.ts";
import { type Ended, type Shell, TASK, withShell } from "./support.ts";

const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));
const PAGE = new URL("../../docs/CLI.md", import.meta.url);

/** A step of the job. */
interface Step {
  readonly env: Readonly<Record<string, string>>;
  readonly script: string;
}

/** What the page says, which is all of YAML that it uses. */
function stepsOf(page: string): Step[] {
  const yaml = /^### In CI$.*?^```yaml\n(.*?)^```$/ms.exec(page)?.[1];
  assert(yaml !== undefined);
  return yaml.split(/^- /m).slice(1).map((step) => {
    const [, script] = /run: \|\n((?: {4}.*\n)+)/.exec(step) ?? [];
    assert(script !== undefined, step);
    const env = step.matchAll(/^ {4}([A-Z_]+): (\S+)$/gm);
    return {
      env: Object.fromEntries([...env].map(([, name, value]) => [name, value])),
      script: script.replaceAll(/^ {4}/gm, ""),
    };
  });
}

/** Runs a line of shell in the folder; a failure ends it. No npx calls it. */
async function bash(
  { folder }: Shell,
  script: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-ec", `unset INIT_CWD\n${script}`],
    cwd: folder,
    env: {
      ...env,
      npm_config_prefix: `${folder}/global`,
      npm_config_prefer_offline: "true",
    },
  }).output();
  const text = new TextDecoder();
  const ended = { code, stdout: text.decode(stdout), bytes: stdout };
  return { ...ended, stderr: text.decode(stderr) };
}

Deno.test("deno task npm says what it takes", () =>
  withShell(async ({ folder }) => {
    for (const wrong of [["--help"], ["one", "two"], ["--check", "x"]]) {
      const [program, ...first] = TASK;
      const { code, stderr } = await new Deno.Command(program!, {
        args: [...first, "npm", ...wrong],
        cwd: folder,
      }).output();
      assert.equal(code, 2);
      assert.equal(
        new TextDecoder().decode(stderr),
        "larder: usage: deno task npm [FOLDER | --check]\n",
      );
    }
  }));

Deno.test("the CI job of the page tests what has changed, and nothing else", () =>
  withShell(async (shell) => {
    for (const program of ["git", "npm"]) {
      if (await outputOf(program, ["--version"]) !== undefined) continue;
      console.log(`skipped the CI job: ${program} is missing`);
      return;
    }
    const steps = stepsOf(await Deno.readTextFile(PAGE));
    const [install, test] = steps;
    assert(steps.length === 2 && install && test);
    await Deno.symlink(REPOSITORY, `${shell.folder}/larder`);
    // In any folder, as it is said where it is called, not where the clone lies.
    const script = install.script.replaceAll("larder-npm", "deep/er")
      .replace("npx -y deno@2.9.6", Deno.execPath());
    const installed = await bash(shell, script, install.env);
    if (
      installed.code !== 0 && /E(AI_AGAIN|NOTFOUND|CONN)/.test(installed.stderr)
    ) {
      console.log("skipped the CI job: npm cannot install packages");
      return;
    }
    assert.equal(installed.code, 0, installed.stderr);
    const made = await shell.read("deep/er/package.json");
    assert.equal(JSON.parse(made).name, "@larder/larder");

    const program = 'console.log("tested"); ' +
      'require("fs").writeFileSync("report.xml", "<ok/>")';
    await shell.write("package.json", '{"scripts":{"test":"node tests"}}');
    await shell.write("package-lock.json", "{}");
    for (const name of ["src", "tests"]) {
      await Deno.mkdir(`${shell.folder}/${name}`);
      await shell.write(`${name}/index.js`, program);
    }
    const commit = async () => {
      const git = "git -c user.name=ci -c user.email=ci@example.com";
      const made = await bash(
        shell,
        `git init -q; git add src tests *.md *.json; ${git} commit -qm change`,
      );
      assert.equal(made.code, 0, made.stderr);
    };
    assert.equal(test.env["LARDER_REMOTE"], "cache.internal:28056");
    const path = `${shell.folder}/global/bin:${Deno.env.get("PATH")}`;
    const env = { ...test.env, ...shell.env, PATH: path };
    const job = async () => {
      await Deno.remove(`${shell.folder}/report.xml`).catch(() => {});
      const { code, stdout, stderr } = await bash(shell, test.script, env);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^tested$/m);
      assert.equal(await shell.read("report.xml"), "<ok/>");
      return /^larder: (\w+) ci\.test /m.exec(stderr)?.[1];
    };

    await shell.write("README.md", "one");
    await commit();
    assert.equal(await job(), "computed");
    assert.equal(await job(), "hit");
    await shell.write("README.md", "two");
    await commit();
    assert.equal(await job(), "hit");
    const changes = {
      "src/index.js": "changed",
      "package.json": '{"scripts":{"test":"node  tests"}}',
      "package-lock.json": '{"lockfileVersion":3}',
    };
    for (const [name, text] of Object.entries(changes)) {
      await shell.write(name, text);
      await commit();
      assert.equal(await job(), "computed", name);
    }
    // A key that lacks a part would be found by whoever lacks it, too.
    await bash(shell, "git rm -q package-lock.json");
    await commit();
    const { code, stdout } = await bash(shell, test.script, env);
    assert.deepEqual([code === 0, stdout], [false, ""]);
  }));
