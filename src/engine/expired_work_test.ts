import assert from "node:assert/strict";
import { MemoryRows } from "../manifest/testing/memory_rows.ts";
import { removeLeftFiles } from "./expired_work.ts";
import { askFor, LEASE_MS, memoryEngine } from "./testing/memory_engine.ts";

Deno.test("a file that has gone counts, though the full disk keeps its row", async () => {
  const inside = memoryEngine();
  const { engine, blobs, manifest, clock } = inside;
  const staging = await stagingOf(engine);
  blobs.stage(staging, Uint8Array.of(1));
  clock.advance(LEASE_MS);
  manifest.remove = () => Promise.reject(new Error("no space left"));
  assert.equal(await removeLeftFiles(inside), 1);
  assert.deepEqual((await blobs.local.leftovers()).staging, []);
  assert.equal((await manifest.unsettled()).items.length, 1);
  await engine.close();
});

Deno.test("a file stays whose row cannot be looked at just now", async () => {
  const rows = new MemoryRows();
  const before = memoryEngine({ rows });
  const { clock } = before;
  const staging = await stagingOf(before.engine);
  await before.engine.close();
  // As where a start does not take all into memory: its holder may come back.
  const inside = memoryEngine({ clock, rows });
  const { engine, blobs, manifest } = inside;
  blobs.stage(staging, Uint8Array.of(1));
  const { find } = manifest;
  manifest.find = () => {
    manifest.find = find;
    return Promise.reject(new Error("the manifest's worker died"));
  };
  assert.equal(await removeLeftFiles(inside), 0);
  assert.deepEqual((await blobs.local.leftovers()).staging, [staging]);
  await engine.close();
});

async function stagingOf(
  engine: Parameters<typeof askFor>[0],
): Promise<string> {
  const reply = await askFor(engine, "key", "local");
  assert.ok(reply.kind === "assigned", reply.kind);
  return reply.assignment.staging!;
}
