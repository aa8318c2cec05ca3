import assert from "node:assert/strict";
import { Status } from "../grpc/status.ts";
import { CallTallies } from "./call_tallies.ts";

Deno.test("CallTallies counts as failed what did not end as it should", () => {
  const tallies = new CallTallies();
  const watch = tallies.observe("/larder.v1.Cache/Watch");
  const fetch = tallies.observe("/larder.v1.Cache/Fetch");
  for (const tally of [watch, fetch]) {
    tally.ended(Status.OK, 1);
    tally.ended(Status.CANCELLED, 1);
    tally.ended(Status.UNAVAILABLE, 1);
  }
  const told = tallies.summary().map(({ method, total, failed }) => [
    ...[method, total, failed],
  ]);
  assert.deepEqual(told, [["Watch", 3, 1], ["Fetch", 3, 2]]);
});
