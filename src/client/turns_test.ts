import assert from "node:assert/strict";
import { Turns } from "./turns.ts";

/** Lets nothing else run in here, as a computation does. */
function compute(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

Deno.test("time in which the program computes is not counted", async () => {
  let left = 2;
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  // The process is kept alive by whoever waits.
  const living = setInterval(() => {}, 1_000);
  const turns = new Turns(() => {
    if (--left > 0) return 1;
    resolve();
    return undefined;
  });
  turns.start();
  compute(2_000);
  await ended;
  clearInterval(living);
  assert(turns.nowMs >= 100, `${turns.nowMs} ms`);
  assert(turns.nowMs < 1_000, `${turns.nowMs} ms`);
});
