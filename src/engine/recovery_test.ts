import assert from "node:assert/strict";
import { FakeClock } from "../clock.ts";
import { MemoryRows } from "../manifest/testing/memory_rows.ts";
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
  const { engine, manifest, blobs, clock, warn } = memoryEngine({ rows });
  const graceEndsMs = clock.wallMs() + LEASE_MS;
  const found = await recover(
    { engine, manifest, blobs, graceEndsMs, warn, maxRestored: 4 },
  );
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

/** Starts on what the last one left. */
async function started(rows: MemoryRows, clock: FakeClock, maxRestored = 9) {
  const parts = memoryEngine({
    rows,
    clock,
    table: { restartGraceMs: 60_000 },
  });
  const { engine, manifest, blobs, warn } = parts;
  const graceEndsMs = clock.wallMs() + 60_000;
  await recover({ engine, manifest, blobs, graceEndsMs, warn, maxRestored });
  return parts;
}

for (const maxRestored of [9, 0]) {
  const where = maxRestored > 0 ? "in memory" : "on disk";
  Deno.test(`a second start adds nothing to the grace of the first (${where})`, async () => {
    const rows = new MemoryRows();
    const clock = new FakeClock();
    const first = memoryEngine({ rows, clock });
    const held: Record<string, Id> = {};
    for (const key of ["silent", "heard"]) {
      const reply = await askFor(first.engine, key);
      assert.ok(reply.kind === "assigned");
      held[key] = reply.assignment.id;
    }
    await first.engine.close();

    clock.advance(1_000_000);
    const second = await started(rows, clock, maxRestored);
    clock.advance(1_000);
    const heartbeat = { kind: "heartbeat", id: held["heard"]! } as const;
    assert.equal((await second.engine.ask(heartbeat)).kind, "ok");
    clock.advance(39_000);
    await second.engine.close();

    const { engine } = await started(rows, clock, maxRestored);
    clock.advance(19_000);
    assert.equal((await askFor(engine, "silent")).kind, "loading");
    clock.advance(1_000);
    assert.equal((await askFor(engine, "silent")).kind, "assigned");
    clock.advance(39_999);
    assert.equal((await askFor(engine, "heard")).kind, "loading");
    clock.advance(1);
    assert.equal((await askFor(engine, "heard")).kind, "assigned");
    await engine.close();
  });
}

Deno.test("a disk that takes no note of the grace does not keep a start from giving it", async () => {
  const rows = new MemoryRows();
  const clock = new FakeClock();
  const first = memoryEngine({ rows, clock });
  assert.equal((await askFor(first.engine, "k")).kind, "assigned");
  await first.engine.close();

  const { engine, manifest, blobs, warn, lines } = memoryEngine({
    rows,
    clock,
  });
  const grace = () => Promise.reject(new Error("the disk is full"));
  await recover({
    engine,
    manifest: Object.assign(manifest, { grace }),
    blobs,
    graceEndsMs: clock.wallMs() + LEASE_MS,
    warn,
  });
  assert.match(lines.join(), /cannot note .*: the disk is full/);
  clock.advance(LEASE_MS - 1);
  assert.equal((await askFor(engine, "k")).kind, "loading");
  await engine.close();
});
