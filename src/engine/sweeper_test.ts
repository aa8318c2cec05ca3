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
  for (const each of [lost, ...held]) blobs.stage(each, Uint8Array.of(1));
  const sweeper = new Sweeper(inside);
  assert.equal(await sweeper.sweepStaging(), 1);
  const { staging: left } = await blobs.local.leftovers();
  assert.deepEqual([...left].sort(), held.sort());
  assert.equal(await sweeper.sweepStaging(), 0);
  await engine.close();
});

Deno.test("a staging folder that cannot be listed is left alone, and the log says so", async () => {
  const inside = memoryEngine();
  const { engine, blobs, lines } = inside;
  blobs.stage("unowned", Uint8Array.of(1));
  blobs.local.leftovers = () =>
    Promise.resolve({ staging: [], tooMany: true, captured: [] });
  assert.equal(await new Sweeper(inside).sweepStaging(), 0);
  assert.match(lines.join(), /cannot be listed: stop the server/);
  await engine.close();
});

Deno.test("of too many abandoned assignments the oldest go, and none that is alive", async () => {
  const inside = memoryEngine();
  const { engine, clock, manifest } = inside;
  for (let i = 0; i < 10; i++) {
    await askFor(engine, `old ${i}`, i % 2 === 0 ? "local" : "remote");
    clock.advance(1);
  }
  clock.advance(LEASE_MS);
  for (let i = 0; i < 3; i++) await askFor(engine, `alive ${i}`);
  const sweeper = new Sweeper(inside);
  const { remove } = manifest;
  manifest.remove = () => Promise.reject(new Error("no space left"));
  assert.equal(await sweeper.boundUnsettled(9), 0, "none of them can go");
  manifest.remove = remove;
  assert.equal(await sweeper.boundUnsettled(9), 4);
  const left = (await manifest.unsettled()).items
    .map(({ key }) => new TextDecoder().decode(key));
  assert.deepEqual(
    left,
    "old 4,old 5,old 6,old 7,old 8,old 9,alive 0,alive 1,alive 2".split(","),
  );
  assert.equal(await sweeper.boundUnsettled(2), 6, "those that live stay");
  assert.equal(await sweeper.boundUnsettled(2), 0);
  assert.equal((await manifest.unsettled()).items.length, 3);
  await engine.close();
});
