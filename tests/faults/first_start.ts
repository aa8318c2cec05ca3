/**
 * A first start that is killed at the system calls by which it makes its root.
 *
 * @module
 */

import assert from "node:assert/strict";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { textOf } from "../support/clients.ts";
import { whileServed } from "../support/served.ts";
import { confinedWords } from "../support/server_process.ts";
import { CHANGING } from "./disk_calls.ts";

/** A call on a path, just before which the server dies. */
export interface Step {
  readonly call: string;
  /** Below the root. */
  readonly name: string;
  /** Which of these calls on this path, from 1. */
  readonly nth: number;
}

const START_LIMIT_MS = 60_000;

/**
 * The calls of a whole first start: the first and last of a kind on a path. (The
 * last may be another thread's, and then is not come by.)
 */
export async function firstStartSteps(): Promise<Step[]> {
  await using folder = await temporaryFolder();
  const trace = `${folder.path}/trace`;
  const root = `${folder.path}/root`;
  await Deno.mkdir(root);
  await start(root, ["-y", "-s", "0", "-o", trace]);
  const counts = new Map<string, Step>();
  const steps: Step[] = [];
  for (const line of (await Deno.readTextFile(trace)).split("\n")) {
    const [, call, rest] = /^\d+ +(\w+)\((.*)$/.exec(line) ?? [];
    const at = rest?.indexOf(`${root}/`) ?? -1;
    if (call === undefined || rest === undefined || at < 0) continue;
    if (call === "openat" && !rest.includes("O_CREAT")) continue;
    const [name = ""] = rest.slice(at + root.length + 1).split(/[">]/);
    // Its name is another one each time.
    if (name.startsWith(".probe-")) continue;
    const before = counts.get(`${call} ${name}`);
    const step = { call, name, nth: (before?.nth ?? 0) + 1 };
    counts.set(`${call} ${name}`, step);
    if (!before) steps.push(step);
  }
  return [...steps, ...[...counts.values()].filter(({ nth }) => nth > 1)];
}

/** Kills a first start there, and starts again: as if nothing had been. */
export async function killFirstStart({ call, name, nth }: Step): Promise<void> {
  await using folder = await temporaryFolder();
  const root = folder.path;
  const isReady = await start(root, [
    ...["-o", "/dev/null", "-P", `${root}/${name}`],
    ...["-e", `inject=${call}:signal=SIGKILL:when=${nth}`],
  ]);
  if (isReady) assert(nth > 1, "the start has not come by");
  await whileServed(root, async ({ remote }) => {
    const { id } = await remote.assigned("tests.first", "key");
    await remote.set(id, "value");
    assert.equal(textOf(await remote.value("tests.first", "key")), "value");
  });
  const tag = await Deno.readTextFile(`${root}/CACHEDIR.TAG`);
  assert.match(tag, /^Signature: 8a477f597d28d172789f06886806bc55\n/);
}

/** Whether it came to answer; then it is killed. */
async function start(root: string, tracing: string[]): Promise<boolean> {
  const words = await confinedWords(["serve", root, "-r", "127.0.0.1:0"]);
  const child = new Deno.Command("strace", {
    args: [
      ...["-f", "-qq", "-e", `trace=${CHANGING.join(",")}`, ...tracing],
      ...[Deno.execPath(), ...words],
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  // A tracer that writes to a file takes no signal: it ends with its server.
  const kill = async () => {
    const path = `/proc/${child.pid}/task/${child.pid}/children`;
    const [server] = (await Deno.readTextFile(path)).trim().split(" ");
    Deno.kill(Number(server), "SIGKILL");
  };
  const timer = setTimeout(kill, START_LIMIT_MS);
  let said = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    said += text;
    if (said.includes("larder: ready")) await kill();
  }
  clearTimeout(timer);
  await child.status;
  return said.includes("larder: ready");
}
