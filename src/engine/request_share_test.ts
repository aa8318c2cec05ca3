import assert from "node:assert/strict";
import { MemoryBudget } from "./memory_budget.ts";
import { RequestShare } from "./request_share.ts";

/** More than a small request. */
const UNIT = 100 * 1024;

/** Lets promises settle. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

Deno.test("requests take their share, and leave the rest to replies", async () => {
  const all = new MemoryBudget({
    totalBytes: 100 * UNIT,
    connectionBytes: 100 * UNIT,
  });
  const requests = new RequestShare(all, {
    shareBytes: 50 * UNIT,
    smallBytes: 10 * UNIT,
  });
  const first = await requests.take({}, 50 * UNIT);
  assert.equal(all.usedBytes, 50 * UNIT);
  const second = requests.take({}, 10 * UNIT);
  assert.equal(requests.contended, true);
  assert.equal(all.contended, false);
  assert.ok(all.takeNow({}, 40 * UNIT));
  first.release();
  (await second).release();
  assert.equal(all.usedBytes, 40 * UNIT);
  assert.equal(requests.contended, false);
});

Deno.test("a request larger than their share fits alone, and counts in full", async () => {
  const all = new MemoryBudget({ totalBytes: 100 * UNIT });
  const requests = new RequestShare(all, {
    shareBytes: 50 * UNIT,
    smallBytes: 10 * UNIT,
  });
  const large = await requests.take({}, 80 * UNIT);
  assert.equal(all.usedBytes, 80 * UNIT);
  assert.equal(all.takeNow({}, 30 * UNIT), undefined, "it lies in memory");
  const next = requests.take({}, 1 * UNIT);
  assert.equal(requests.contended, true);
  large.release();
  (await next).release();
  const largest = await requests.take({}, 1_000 * UNIT);
  assert.equal(all.usedBytes, 100 * UNIT);
  largest.release();
  assert.equal(all.usedBytes, 0);
});

Deno.test("a request waits for replies, too, and whoever gives up leaves nothing behind", async () => {
  const all = new MemoryBudget({ totalBytes: 100 * UNIT });
  const requests = new RequestShare(all, {
    shareBytes: 50 * UNIT,
    smallBytes: 10 * UNIT,
  });
  const reply = all.takeNow({}, 90 * UNIT);
  const controller = new AbortController();
  const waits = Promise.resolve(
    requests.take({}, 40 * UNIT, controller.signal),
  );
  await turn();
  assert.equal(requests.contended, true);
  controller.abort();
  await assert.rejects(waits);
  reply?.release();
  assert.equal(requests.contended, false);
  const next = requests.take({}, 50 * UNIT);
  assert.ok(!(next instanceof Promise));
  next.release();
  assert.equal(all.usedBytes, 0);
});

Deno.test("small requests hold nothing that their own replies may wait for", async () => {
  const all = new MemoryBudget({ totalBytes: 10 * UNIT });
  const shares = { shareBytes: 5 * UNIT, smallBytes: UNIT };
  const requests = new RequestShare(all, shares);
  const connection = {};
  const small = await requests.take(connection, 50_000);
  assert.equal(requests.smallBytes, 50_000);
  // The whole of it, for the connection holds nothing there.
  const reply = all.takeNow(connection, 10 * UNIT);
  assert.ok(reply);
  const next = requests.take({}, 60_000);
  assert.equal(requests.contended, true);
  small.release();
  (await next).release();
  reply.release();
  assert.equal(requests.smallBytes, 0);
});
