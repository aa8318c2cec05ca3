/**
 * What the tests of confinement share: a world with an inside and an outside,
 * and the command that the launcher prints.
 *
 * @module
 */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { StartError } from "../../src/errors.ts";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { ServerHere } from "../support/server_here.ts";

const LAUNCHER = fileURLToPath(
  new URL("../../src/main/launcher.ts", import.meta.url),
);
const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));

/** A root, and a folder beside it that nobody may touch. */
export interface World extends AsyncDisposable {
  /** The root, which is not there yet. */
  readonly root: string;
  /** The folder beside it. */
  readonly outside: string;
  /** A file in it. */
  readonly secret: string;
  /** Fails when anything outside has changed. */
  assertUntouched(): Promise<void>;
  /** The test itself has changed something there. */
  remember(): Promise<void>;
}

/** Makes a world. */
export async function makeWorld(): Promise<World> {
  const folder = await temporaryFolder();
  const base = folder.path;
  const outside = `${base}/outside`;
  await Deno.mkdir(`${outside}/folder`, { recursive: true });
  const secret = `${outside}/secret`;
  await Deno.writeTextFile(secret, "outside of the root");
  await Deno.writeTextFile(`${outside}/module.ts`, "export const x = 1;");
  await Deno.writeTextFile(`${outside}/data.json`, "{}");
  let before = await snapshot(outside);
  return {
    root: `${base}/root`,
    outside,
    secret,
    async assertUntouched() {
      assert.deepEqual(await snapshot(outside), before);
    },
    async remember() {
      before = await snapshot(outside);
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

/** Every file's path, mode and content. */
async function snapshot(folder: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) {
      lines.push(path, ...await snapshot(path));
      continue;
    }
    const { mode, nlink, mtime } = await Deno.lstat(path);
    const hash = createHash("sha256").update(await Deno.readFile(path));
    lines.push([path, mode, nlink, mtime, hash.digest("hex")].join(" "));
  }
  return lines.sort();
}

/** How a program ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program to its end. */
export async function run(
  program: string,
  args: readonly string[],
  options: Deno.CommandOptions = {},
): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    stdin: "null",
    env: { NO_COLOR: "1" },
    ...options,
  }).output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

/** Runs `larder serve` with everything allowed, as the launcher's user may. */
export function larder(...args: string[]): Promise<Ended> {
  const flags = ["run", "--quiet", "--config", CONFIG, "-A", LAUNCHER, "serve"];
  return run(Deno.execPath(), [...flags, ...args]);
}

/** What a server in this process says that refuses to serve a root. */
export async function refusalHere(root: string): Promise<string> {
  try {
    await using _ = await ServerHere.start(root);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    assert.equal(error.exitCode, 1, error.message);
    return error.message;
  }
  assert.fail(`${root} is served`);
}

/** The words of the printed command, as a shell reads them. */
export async function printedCommand(
  root: string,
  ...flags: string[]
): Promise<string[]> {
  const { stdout, stderr } = await larder(root, ...flags, "--print-command");
  assert.equal(stderr, "");
  const words = await run("sh", ["-c", `printf '%s\\0' ${stdout}`]);
  return words.stdout.split("\0").slice(0, -1);
}
