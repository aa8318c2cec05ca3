/** Gets whose value is in memory: most of all calls. */

import assert from "node:assert/strict";
import { MemoryRows } from "../manifest/testing/memory_rows.ts";
import type { EntryKey, Reply, RequestOf } from "../table/types.ts";
import type { Grant } from "./admission.ts";
import type { Engine } from "./engine.ts";
import { entryKey } from "./entry_key.ts";
import {
  type MemoryEngine,
  memoryEngine,
  type MemoryParts,
} from "./testing/memory_engine.ts";

const ENTRY: EntryKey = entryKey("ns", new TextEncoder().encode("a"));
const VALUE = new Uint8Array(100).fill(7);

/** An engine with a value that has been read once. */
async function withHotValue(
  parts: MemoryParts & { readonly ttlMs?: number } = {},
): Promise<MemoryEngine> {
  const { ttlMs, ...others } = parts;
  const made = memoryEngine({ cacheBytes: 100_000, ...others });
  const { engine } = made;
  const get = { kind: "get", api: "stream", entry: ENTRY } as const;
  const work = await engine.ask({
    ...get,
    assign: true,
    ...(ttlMs !== undefined && { ttlMs }),
  });
  assert.ok(work.kind === "assigned");
  await engine.ask({ kind: "set", id: work.assignment.id, value: VALUE });
  await engine.ask({ ...get, assign: false });
  await engine.flushUses();
  return made;
}

/** What a Get is answered before it returns. */
function answered(
  engine: Engine,
  how: Partial<RequestOf<"get">> = {},
): { reply?: Reply; grant?: Grant | undefined } {
  const told: { reply?: Reply; grant?: Grant | undefined } = {};
  engine.submit(
    { kind: "get", api: "remote", entry: ENTRY, assign: false, ...how },
    (reply, grant) => Object.assign(told, { reply, grant }),
  );
  return told;
}

Deno.test("a value in memory is given at once, and counted as found and as used", async () => {
  const rows = new MemoryRows();
  const { engine, clock } = await withHotValue({ rows });
  const { hits } = engine.counts();
  clock.advance(5_000);
  const { reply, grant } = answered(engine);
  assert.deepEqual(reply, { kind: "value", value: VALUE });
  assert.equal(grant, undefined, "nobody counts so few bytes");
  assert.equal(engine.counts().hits, hits + 1);
  await engine.flushUses();
  const row = rows.byName.get(ENTRY.name);
  assert.equal(row?.accessedMs, Math.floor(clock.wallMs()));
  engine.check();
  await engine.close();
});

Deno.test("one that only looks is no hit", async () => {
  const { engine } = await withHotValue();
  const { hits } = engine.counts();
  assert.equal(answered(engine, { looks: true }).reply?.kind, "value");
  assert.equal(engine.counts().hits, hits);
  await engine.close();
});

Deno.test("a stream is told the digest and what computing it took", async () => {
  const { engine } = await withHotValue();
  const { reply } = answered(engine, { api: "stream" });
  assert.ok(reply?.kind === "value");
  assert.equal(reply.digest?.size, VALUE.length);
  assert.equal(typeof reply.times?.computedMs, "number");
  await engine.close();
});

Deno.test("what fits into no reply is not given, though it is in memory", async () => {
  const table = { maxValueBytes: VALUE.length - 1 };
  const { engine } = await withHotValue({ table });
  assert.deepEqual(answered(engine).reply, {
    kind: "unassigned",
    reason: "too-large",
  });
  await engine.close();
});

Deno.test("memory is asked for what is counted", async () => {
  const table = { uncountedBytes: VALUE.length - 1 };
  const { engine } = await withHotValue({ table });
  const { reply, grant } = answered(engine);
  assert.equal(reply?.kind, "value");
  assert.ok(grant);
  await engine.close();
});

Deno.test("a value whose time to live is over is not given, though it is in memory", async () => {
  const { engine, clock } = await withHotValue({ ttlMs: 1_000 });
  assert.equal(answered(engine).reply?.kind, "value");
  clock.advance(1_000);
  assert.deepEqual(answered(engine).reply, { kind: "unassigned" });
  await engine.close();
});

Deno.test("an engine that is closed gives nothing", async () => {
  const { engine } = await withHotValue();
  await engine.close();
  assert.deepEqual(answered(engine), {});
});
