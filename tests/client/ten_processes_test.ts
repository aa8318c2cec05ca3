/** Ten processes want the same 200 keys: five on Deno and, where there is one, five on Node. */

import assert from "node:assert/strict";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import type { Answering } from "../support/server_here.ts";
import { installedPackage } from "./installed_package.ts";
import { Child, denoCommand, withServerHere } from "./support.ts";

const PROCESSES = 10;
const KEYS = 200;
/** How many go on when one was killed, on Deno and on Node. */
const SURVIVORS = 4;
const PROGRAM = new URL("./programs/compute_keys.mjs", import.meta.url);
const MODULE = new URL("../../src/client/mod.ts", import.meta.url).href;
/** Never, in this test. */
const NO_HANG = KEYS + 1;

/** A lease that ten processes on a loaded machine do not miss. */
const LEASE = [
  ...["--heartbeat-interval", "500ms", "--heartbeat-timeout", "8s"],
];

/** How a process is started. */
type Start = (log: string, hangAfter?: number) => Child;

Deno.test("ten processes compute each of 200 keys exactly once", () =>
  withProcesses(async (starts, log) => {
    const children = starts.map((start) => start(log));
    const values = await resultsOf(children);
    const counts = await computations(log);
    assert.equal(counts.size, KEYS);
    for (const [key, processes] of counts) {
      assert.equal(processes.length, 1, `key ${key}`);
    }
    assert.equal(new Set(values).size, 1, "all got the same values");
  }));

Deno.test("when the process is killed: it costs only what it was computing", () =>
  withProcesses(async ([first, ...others], log) => {
    const ended = 10;
    await using victim = first!(log, ended);
    assert.equal(await victim.line(), "hanging");
    const hanging = [...await computations(log)].slice(ended).map(([key]) =>
      key
    );
    const children = others.slice(0, SURVIVORS).map((start) => start(log));
    await victim.kill();
    const values = await resultsOf(children);
    const counts = await computations(log);
    assert.equal(counts.size, KEYS);
    for (const [key, processes] of counts) {
      const expected = hanging.includes(key) ? 2 : 1;
      assert.equal(processes.length, expected, `key ${key}`);
    }
    assert.equal(new Set(values).size, 1, "all got the same values");
  }));

/** Runs a test with a server and ten ways to start a process. */
async function withProcesses(
  run: (starts: readonly Start[], log: string) => Promise<void>,
): Promise<void> {
  await using folder = await temporaryFolder();
  const project = await installedPackage(folder.path);
  if (project.skip !== undefined) {
    console.log(`skipped the processes on Node: ${project.skip}`);
  }
  await withServerHere(async (server) => {
    const starts = Array.from(
      { length: PROCESSES },
      (_, at) =>
        at % 2 === 0 || project.skip !== undefined
          ? onDeno(server)
          : onNode(server, project.folder),
    );
    await run(starts, `${folder.path}/log`);
  }, LEASE);
}

function onDeno({ remote }: Answering): Start {
  return (log, hangAfter = NO_HANG) =>
    new Child(denoCommand(
      PROGRAM,
      ...[MODULE, remote, log, `${KEYS}`, `${hangAfter}`],
    ));
}

function onNode({ remote }: Answering, project: string): Start {
  const program = `${project}/compute_keys.mjs`;
  Deno.copyFileSync(PROGRAM, program);
  return (log, hangAfter = NO_HANG) =>
    new Child([
      ...["node", program, "@larder/larder"],
      ...[remote, log, `${KEYS}`, `${hangAfter}`],
    ]);
}

/** What each process printed: the values of all keys. */
async function resultsOf(children: readonly Child[]): Promise<string[]> {
  return await Promise.all(children.map(async (child) => {
    const { lines, code } = await child.end();
    assert.equal(code, 0);
    assert.equal(lines.length, 1);
    return lines[0]!;
  }));
}

/** Who computed each key, in the order of the first time. */
async function computations(log: string): Promise<Map<string, string[]>> {
  const counts = new Map<string, string[]>();
  for (const line of (await Deno.readTextFile(log)).trim().split("\n")) {
    const [key, process] = line.split(" ");
    counts.set(key!, [...counts.get(key!) ?? [], process!]);
  }
  return counts;
}
