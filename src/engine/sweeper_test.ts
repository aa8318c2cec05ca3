import assert from "node:assert/strict";
import { Sweeper } from "./sweeper.ts";
import { askFor, LEASE_MS, memoryEngine } from "./testing/memory_engine.ts";

Deno.test("what a client writes after it has lost its work is removed, and nothing else", async () => {
  const inside = memoryEngine();
  const { engine, clock, blobs } = inside;
  const staging = async (key: string) => {
    const reply = await askFor(engine, key, "local");
    assert.ok(reply.kind === "assigned", reply.kind);
    return reply.assignment.staging!;
  };
  const lost = await staging("a");
  clock.advance(LEASE_MS);
  const held = [await staging("a"), await staging("b")];
  for (const each of [lost, ...held]) blobs.local.stage(each, Uint8Array.of(1));
  const sweeper = new Sweeper(inside);
  assert.equal(await sweeper.sweepStaging(), 1);
  const { staging: left } = await blobs.local.leftovers();
  assert.deepEqual([...left].sort(), held.sort());
  assert.equal(await sweeper.sweepStaging(), 0);
  await engine.close();
});
