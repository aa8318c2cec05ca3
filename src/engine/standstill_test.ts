/** A server that stood still takes no work from those who sent heartbeats. */

import assert from "node:assert/strict";
import { askFor, LEASE_MS, memoryEngine } from "./testing/memory_engine.ts";
import { entryKey } from "./entry_key.ts";

const entry = entryKey("ns", new TextEncoder().encode("k"));

/** An engine of which somebody has the work on `k`; whoever waits is noted. */
async function withHolder() {
  const parts = memoryEngine();
  const { engine } = parts;
  engine.noticeStandstills();
  const reply = await askFor(engine, "k");
  assert(reply.kind === "assigned");
  return { ...parts, id: reply.assignment.id };
}

Deno.test("who waits does not get the work when the server wakes up", async () => {
  const { engine, clock, id } = await withHolder();
  let isGiven = false;
  const { promise: given, resolve } = Promise.withResolvers<string>();
  engine.submit(
    { kind: "get", api: "stream", entry, assign: true, patient: true },
    ({ kind }) => {
      isGiven = true;
      resolve(kind);
    },
  );
  clock.advance(LEASE_MS - 1_000);
  clock.jump(3_000);
  // All timers first, then what has come meanwhile.
  clock.advance(0);
  assert.deepEqual(await engine.ask({ kind: "heartbeat", id }), { kind: "ok" });
  clock.advance(LEASE_MS - 1);
  await engine.ask({ kind: "heartbeat", id: "1" });
  assert(!isGiven);
  clock.advance(10_000);
  assert.equal(await given, "assigned");
  await engine.close();
});

Deno.test("who asks first when the server wakes up does not get the work", async () => {
  const { engine, clock, id } = await withHolder();
  clock.advance(LEASE_MS - 1_000);
  clock.jump(3_000);
  assert.equal((await askFor(engine, "k")).kind, "loading");
  assert.deepEqual(await engine.ask({ kind: "heartbeat", id }), { kind: "ok" });
  await engine.close();
});

Deno.test("a lease that had ended before the standstill has ended", async () => {
  const { engine, clock } = await withHolder();
  clock.advance(LEASE_MS + 1_000);
  clock.jump(3_000);
  assert.equal((await askFor(engine, "k")).kind, "assigned");
  await engine.close();
});
