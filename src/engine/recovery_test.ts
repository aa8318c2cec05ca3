import assert from "node:assert/strict";
import { MemoryRows } from "../manifest/memory_rows.ts";
import type { Id } from "../table/types.ts";
import { recover } from "./recovery.ts";
import { askFor, LEASE_MS, memoryEngine } from "./testing/memory_engine.ts";

Deno.test("a start takes the latest assignments into memory, and finds the others by id and key", async () => {
  const rows = new MemoryRows();
  const ids: Id[] = [];
  {
    const { engine, clock } = memoryEngine({ rows });
    for (let i = 0; i < 10; i++) {
      const reply = await askFor(engine, `${i}`);
      assert.ok(reply.kind === "assigned");
      ids.push(reply.assignment.id);
      clock.advance(1);
    }
    await engine.close();
  }
  const { engine, manifest, blobs, clock } = memoryEngine({ rows });
  const found = await recover({ engine, manifest, blobs, maxRestored: 4 });
  assert.deepEqual(found, { loading: 4, captured: 0, evicting: 0, swept: 0 });
  assert.equal(engine.counts().loading, 4);
  // All have the restart's grace, and their ids are good.
  for (const key of ["0", "9"]) {
    assert.equal((await askFor(engine, key)).kind, "loading", key);
  }
  const value = Uint8Array.of(1);
  const set = await engine.ask({ kind: "set", id: ids[1]!, value });
  assert.equal(set.kind, "ok");
  assert.equal((await askFor(engine, "1")).kind, "value");
  // And then they go to whoever asks.
  clock.advance(LEASE_MS);
  for (const key of ["0", "2", "9"]) {
    assert.equal((await askFor(engine, key)).kind, "assigned", key);
  }
  await engine.close();
});
