import assert from "node:assert/strict";
import { StopRequests } from "./stop_requests.ts";

async function isSettled(promise: Promise<void>): Promise<boolean> {
  const pending = Symbol();
  return await Promise.race([promise, Promise.resolve(pending)]) !== pending;
}

Deno.test("StopRequests takes signals of one moment for one press", async () => {
  let nowMs = 5;
  const stop = new StopRequests(() => nowMs);
  assert.equal(stop.isRequested, false);
  stop.interrupt();
  stop.interrupt();
  nowMs += 999;
  stop.interrupt();
  assert.equal(stop.isRequested, true);
  assert.equal(await isSettled(stop.requested), true);
  assert.equal(await isSettled(stop.forced), false);
});

Deno.test("StopRequests forces the stop at a later press", async () => {
  let nowMs = 0;
  const stop = new StopRequests(() => nowMs);
  stop.interrupt();
  nowMs += 1_000;
  stop.interrupt();
  assert.equal(await isSettled(stop.forced), true);
});

Deno.test("StopRequests never forces for repeated SIGTERM", async () => {
  let nowMs = 0;
  const stop = new StopRequests(() => nowMs);
  stop.request();
  nowMs += 60_000;
  stop.request();
  assert.equal(await isSettled(stop.requested), true);
  assert.equal(await isSettled(stop.forced), false);
});
