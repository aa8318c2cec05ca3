import assert from "node:assert/strict";
import { MemoryBudget } from "./memory_budget.ts";
import { RequestShare } from "./request_share.ts";

/** Lets promises settle. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

Deno.test("requests take their share, and leave the rest to replies", async () => {
  const all = new MemoryBudget({ totalBytes: 100, connectionBytes: 100 });
  const requests = new RequestShare(all, 50);
  const first = await requests.take({}, 50);
  assert.equal(all.usedBytes, 50);
  const second = requests.take({}, 10);
  assert.equal(requests.contended, true);
  assert.equal(all.contended, false);
  assert.ok(all.takeNow({}, 40));
  first.release();
  (await second).release();
  assert.equal(all.usedBytes, 40);
  assert.equal(requests.contended, false);
});

Deno.test("a request larger than their share fits alone, and counts in full", async () => {
  const all = new MemoryBudget({ totalBytes: 100 });
  const requests = new RequestShare(all, 50);
  const large = await requests.take({}, 80);
  assert.equal(all.usedBytes, 80);
  assert.equal(all.takeNow({}, 30), undefined, "it lies in memory");
  const next = requests.take({}, 1);
  assert.equal(requests.contended, true);
  large.release();
  (await next).release();
  const largest = await requests.take({}, 1_000);
  assert.equal(all.usedBytes, 100);
  largest.release();
  assert.equal(all.usedBytes, 0);
});

Deno.test("a request waits for replies, too, and whoever gives up leaves nothing behind", async () => {
  const all = new MemoryBudget({ totalBytes: 100 });
  const requests = new RequestShare(all, 50);
  const reply = all.takeNow({}, 90);
  const controller = new AbortController();
  const waits = Promise.resolve(requests.take({}, 40, controller.signal));
  await turn();
  assert.equal(requests.contended, true);
  controller.abort();
  await assert.rejects(waits);
  reply?.release();
  assert.equal(requests.contended, false);
  const next = requests.take({}, 50);
  assert.ok(!(next instanceof Promise));
  next.release();
  assert.equal(all.usedBytes, 0);
});
