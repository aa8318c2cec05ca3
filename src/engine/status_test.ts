import assert from "node:assert/strict";
import { askFor, LEASE_MS, memoryEngine } from "./testing/memory_engine.ts";

Deno.test("what is under way is named by how long it takes, the longest first", async () => {
  const { engine, clock } = memoryEngine();
  const ids: string[] = [];
  for (const key of ["a", "b", "c", "d"]) {
    const reply = await askFor(engine, key);
    assert.ok(reply.kind === "assigned");
    ids.push(reply.assignment.id);
    clock.advance(1_000);
  }
  const named = (limit: number) =>
    engine.underWay(limit).map(({ entry, computingMs }) => [
      new TextDecoder().decode(entry.key),
      computingMs,
    ]);
  // Heartbeats change the order of the leases, and not this one.
  await engine.ask({ kind: "heartbeat", id: ids[0]! });
  assert.deepEqual(named(10), [
    ["a", 4_000],
    ["b", 3_000],
    ["c", 2_000],
    ["d", 1_000],
  ]);
  assert.deepEqual(named(2), [["a", 4_000], ["b", 3_000]]);
  clock.advance(LEASE_MS - 2_500);
  assert.deepEqual(
    named(10).map(([key]) => key),
    ["a", "c", "d"],
    "whose lease has ended computes no more",
  );
  assert.equal(engine.counts().loading, 3, "and is not counted either");
});
