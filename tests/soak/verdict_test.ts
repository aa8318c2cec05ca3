import assert from "node:assert/strict";
import { judge, MARGINS, type SoakRun, type SoakSample } from "./verdict.ts";

const SAMPLES = 100;
const CONNECTIONS = 200_000;
/** The leak of Deno before 2.9.4, at its mildest. */
const LEAK_MIB_A_CONNECTION = 9_000 / 1024 / 1024;

/** A flat run, but for what a test wants otherwise. */
function runOf(
  change: (at: number) => Partial<SoakSample>,
  more: Partial<SoakRun> = {},
): SoakRun {
  const samples = Array.from({ length: SAMPLES }, (_, at) => ({
    seconds: at,
    connections: at / SAMPLES * CONNECTIONS,
    treeMib: 200 + 10 * Math.sin(at),
    peakMib: 300,
    descriptors: 70 + at % 9,
    p50Ms: 1,
    p99Ms: 10,
    maxMs: 20,
    serverPid: 7,
    ...change(at),
  }));
  return {
    samples,
    descriptorsBefore: 40,
    descriptorsAfter: 41,
    failures: [],
    ...more,
  };
}

function broken(run: SoakRun): string[] {
  return judge(run, MARGINS)
    .filter(({ holds }) => !holds)
    .map(({ rule }) => rule.replace(/ (at most|\d).*/, ""));
}

Deno.test("judge lets memory wander and a warm-up grow", () => {
  const growing = (at: number) => at < 20 ? { treeMib: 10 * at } : {};
  assert.deepEqual(broken(runOf(growing)), []);
});

Deno.test("judge notices the leak that Deno once had", () => {
  const leaking = (at: number) => ({
    treeMib: 200 + at / SAMPLES * CONNECTIONS * LEAK_MIB_A_CONNECTION,
  });
  assert.deepEqual(broken(runOf(leaking)), ["memory in the last window"]);
});

Deno.test("judge notices descriptors that are lost, one in 1,000", () => {
  const losing = (at: number) => ({ descriptors: 70 + at * 2 });
  assert.deepEqual(
    broken(runOf(losing, { descriptorsAfter: 240 })).length,
    2,
  );
});

Deno.test("judge notices a peak, a restart, and a polite call that failed", () => {
  const run = runOf(
    (at) => at === 50 ? { peakMib: 321, serverPid: 8 } : {},
    { failures: ["hit of 1 KiB: closed with 0 bytes"] },
  );
  assert.equal(broken(run).length, 3);
});
