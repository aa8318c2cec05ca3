/** What is known of streams that are gone. */

import assert from "node:assert/strict";
import { ClosedStreams } from "./closed_streams.ts";
import { REMEMBERED_GAPS, REMEMBERED_RESETS } from "./limits.ts";

Deno.test("how a stream ended decides what its late frames mean", () => {
  const closed = new ClosedStreams();
  for (const id of [1, 3, 9]) closed.opened(id);
  closed.reset(3);
  const fates = [1, 3, 5, 7, 9, 11, 2, 0].map((id) => closed.fateOf(id));
  assert.deepEqual(fates, [
    ...["closed", "reset by us", "never opened", "never opened", "closed"],
    ...["idle", "idle", "idle"],
  ]);
  assert.equal(closed.lastId, 9);
});

Deno.test("the first id may leave others out", () => {
  const closed = new ClosedStreams();
  closed.opened(7);
  assert.deepEqual([1, 5, 7].map((id) => closed.fateOf(id)), [
    "never opened",
    "never opened",
    "closed",
  ]);
});

Deno.test("resets that are forgotten are in doubt, for the client", () => {
  const closed = new ClosedStreams();
  const most = REMEMBERED_RESETS;
  for (let at = 0; at < 2 * most; at++) {
    closed.opened(2 * at + 1);
    if (at < most + 10) closed.reset(2 * at + 1);
  }
  assert.equal(closed.fateOf(1), "reset by us");
  assert.equal(closed.fateOf(2 * (most + 9) + 1), "reset by us");
  assert.equal(closed.fateOf(2 * (most + 10) + 1), "closed");
});

Deno.test("gaps are remembered, a few", () => {
  const closed = new ClosedStreams();
  for (let at = 1; at <= 2 * REMEMBERED_GAPS; at++) closed.opened(4 * at + 1);
  assert.equal(closed.fateOf(8 * REMEMBERED_GAPS - 1), "never opened");
  assert.equal(closed.fateOf(7), "closed");
});
