import assert from "node:assert/strict";
import { EVICTIONS_AT_ONCE, REMOVAL_PAGE_MS } from "../limits.ts";
import type { Reply } from "../table/types.ts";
import { entryKey } from "./entry_key.ts";
import { Removal, type Removed, type Selection } from "./removal.ts";
import {
  askFor,
  HANDLE_LEASE_MS,
  type MemoryEngine,
  memoryEngine,
} from "./testing/memory_engine.ts";

const HOUR_MS = 3_600_000;
const encoder = new TextEncoder();

/** An engine with values, and what removes them. */
class Site {
  readonly inside: MemoryEngine = memoryEngine();
  readonly removal = new Removal({
    ...this.inside,
    blobs: {},
    warn: (message) => assert.fail(message),
  });

  async assigned(key: string): Promise<string> {
    const reply = await askFor(this.inside.engine, key);
    assert.equal(reply.kind, "assigned", `${key}: ${JSON.stringify(reply)}`);
    return (reply as Reply & { kind: "assigned" }).assignment.id;
  }

  async publish(key: string, text = "value"): Promise<void> {
    const id = await this.assigned(key);
    await this.set(id, text);
  }

  async set(id: string, text: string): Promise<void> {
    const value = encoder.encode(text);
    const reply = await this.inside.engine.ask({ kind: "set", id, value });
    assert.equal(reply.kind, "ok");
  }

  page(
    selection: Partial<Selection> & { readonly starts?: string } = {},
    { limit = 500, dryRun = false, cursor }: {
      readonly limit?: number;
      readonly dryRun?: boolean;
      readonly cursor?: string;
    } = {},
  ): Promise<Removed> {
    const { starts = "", ...rest } = selection;
    const prefix = encoder.encode(starts);
    return this.removal.page("ns", { prefix, ...rest }, {
      limit,
      dryRun,
      ...cursor !== undefined && { cursor },
    });
  }

  /** The keys that are ready. */
  async left(): Promise<string[]> {
    const { items } = await this.inside.manifest.list("ns", { limit: 500 });
    return items.filter(({ status }) => status === "ready")
      .map(({ key }) => new TextDecoder().decode(key));
  }
}

Deno.test("a removal takes what begins alike, and counts it before", async () => {
  const site = new Site();
  for (const key of ["a", "run", "run-1", "run-2", "rur", "z"]) {
    await site.publish(key);
  }
  const wanted = { entries: 3, bytes: 15, inUse: 0 };
  const starts = "run";
  assert.deepEqual(await site.page({ starts }, { dryRun: true }), wanted);
  assert.equal((await site.left()).length, 6);
  assert.deepEqual(await site.page({ starts }), wanted);
  assert.deepEqual(await site.left(), ["a", "rur", "z"]);
  assert.deepEqual(await site.page({ starts }), {
    ...wanted,
    entries: 0,
    bytes: 0,
  });
});

Deno.test("a removal goes on where the page before ended, also when asked twice", async () => {
  const site = new Site();
  for (let at = 0; at < 10; at++) await site.publish(`k${at}`);
  const first = await site.page({ starts: "k" }, { limit: 4 });
  assert.equal(first.entries, 4);
  const cursor = first.cursor!;
  const second = await site.page({}, { limit: 4, cursor });
  assert.equal(second.entries, 4);
  // The reply was lost on its way.
  const again = await site.page({}, { limit: 4, cursor });
  assert.equal(again.entries, 2);
  assert.equal(again.cursor, undefined);
  assert.deepEqual(await site.left(), []);
});

Deno.test("a removal goes by age and by the last use", async () => {
  const site = new Site();
  const { clock, engine } = site.inside;
  await site.publish("old");
  await site.publish("old and read");
  clock.advance(48 * HOUR_MS);
  await site.publish("new");
  assert.equal((await askFor(engine, "old and read")).kind, "value");
  const selection = { unreadForMs: 24 * HOUR_MS };
  const unread = await site.page(selection, { dryRun: true });
  assert.equal(unread.entries, 1);
  const old = { olderThanMs: 24 * HOUR_MS };
  assert.equal((await site.page(old, { dryRun: true })).entries, 2);
  await site.page(selection);
  assert.deepEqual(await site.left(), ["new", "old and read"]);
  await site.page(old);
  assert.deepEqual(await site.left(), ["new"]);
});

Deno.test("a removal leaves work, pinned files and newer values alone", async () => {
  const site = new Site();
  const { engine, manifest, clock } = site.inside;
  const id = await site.assigned("computed");
  await site.publish("free");
  await site.publish("read");
  const reply = await askFor(engine, "read", "local");
  assert.equal(reply.kind, "handle");
  await site.publish("replaced", "old");

  const list = manifest.list.bind(manifest);
  manifest.list = async (...args) => {
    const page = await list(...args);
    manifest.list = list;
    // Between the look and the removal another value takes its place.
    const entry = entryKey("ns", encoder.encode("replaced"));
    await engine.ask({ kind: "evict", entry });
    await site.publish("replaced", "new");
    return page;
  };
  assert.deepEqual(await site.page(), { entries: 1, bytes: 5, inUse: 2 });
  assert.deepEqual(await site.left(), ["read", "replaced"]);

  await site.set(id, "done");
  clock.advance(HANDLE_LEASE_MS);
  engine.feed({ kind: "tick" });
  assert.equal((await site.page()).entries, 3);
  assert.deepEqual(await site.left(), []);
});

Deno.test("a page of a removal ends when its time is over", async () => {
  const site = new Site();
  const { engine, clock } = site.inside;
  const count = EVICTIONS_AT_ONCE * 3;
  const keys = Array.from({ length: count }, (_, at) => `${at + 100}`);
  for (const key of keys) await site.publish(key);
  const ask = engine.ask.bind(engine);
  engine.ask = async (request) => {
    const reply = await ask(request);
    // As on a slow disk.
    clock.advance(REMOVAL_PAGE_MS / 10);
    return reply;
  };
  let pages = 0;
  let entries = 0;
  let page: Removed | undefined;
  do {
    page = await site.page({}, page?.cursor ? { cursor: page.cursor } : {});
    entries += page.entries;
    pages++;
  } while (page.cursor !== undefined);
  assert.equal(entries, count);
  assert.ok(pages > 1, `${pages}`);
  assert.deepEqual(await site.left(), []);
});

Deno.test("a removal that fails says so, and can be asked again", async () => {
  const site = new Site();
  for (let at = 0; at < 4; at++) await site.publish(`k${at}`);
  const { blobs } = site.inside;
  const remove = blobs.remove.bind(blobs);
  let failures = 1;
  blobs.remove = (name) =>
    failures-- > 0 ? Promise.reject(new Error("no disk")) : remove(name);
  await assert.rejects(site.page(), /failed/);
  await site.page();
  assert.deepEqual(await site.left(), []);
});
