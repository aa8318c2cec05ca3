/** Time to live, told as stories. */

import assert from "node:assert/strict";
import { EVICTION_INTERVAL_MS } from "../limits.ts";
import { FakeClock } from "../clock.ts";
import { MemoryBlobStore } from "../blobs/testing/memory_blob_store.ts";
import { MemoryRows } from "../manifest/testing/memory_rows.ts";
import type { Api, Reply } from "../table/types.ts";
import { entryKey } from "./entry_key.ts";
import { Evictor } from "./evictor.ts";
import {
  HANDLE_LEASE_MS,
  type MemoryEngine,
  memoryEngine,
} from "./testing/memory_engine.ts";

const ENTRY = entryKey("ns", new TextEncoder().encode("k"));
const TTL_MS = 10_000;

/** A server's inside, whose stores outlive it. */
class Site {
  readonly clock = new FakeClock();
  readonly #blobs = new MemoryBlobStore(this.clock);
  readonly #rows = new MemoryRows();
  inside!: MemoryEngine;
  evictor!: Evictor;

  static async open(maxResting?: number): Promise<Site> {
    const site = new Site();
    await site.start(maxResting);
    return site;
  }

  async start(maxResting?: number): Promise<void> {
    this.inside = memoryEngine({
      clock: this.clock,
      blobs: this.#blobs,
      rows: this.#rows,
      table: maxResting === undefined ? {} : { maxResting },
    });
    const { inside } = this;
    this.evictor = new Evictor({ ...inside, handleLeaseMs: HANDLE_LEASE_MS });
    await this.evictor.start();
    await this.evictor.sweep();
  }

  async restart(): Promise<void> {
    await this.evictor.close();
    await this.inside.engine.close();
    await this.start();
  }

  get(
    { api = "remote", assign = true, ttlMs }: {
      readonly api?: Api;
      readonly assign?: boolean;
      readonly ttlMs?: number;
    } = {},
  ): Promise<Reply> {
    return this.inside.engine.ask({
      ...{ kind: "get", api, entry: ENTRY, assign },
      ...ttlMs !== undefined && { ttlMs },
    });
  }

  async assigned(ttlMs?: number): Promise<string> {
    const reply = await this.get(ttlMs === undefined ? {} : { ttlMs });
    assert.equal(reply.kind, "assigned", JSON.stringify(reply));
    return (reply as Reply & { kind: "assigned" }).assignment.id;
  }

  async publish(text: string, ttlMs?: number): Promise<void> {
    await this.set(await this.assigned(ttlMs), text);
  }

  async set(id: string, text: string): Promise<void> {
    const value = new TextEncoder().encode(text);
    const reply = await this.inside.engine.ask({ kind: "set", id, value });
    assert.equal(reply.kind, "ok");
  }

  async text(): Promise<string | undefined> {
    const reply = await this.get({ assign: false });
    return reply.kind === "value"
      ? new TextDecoder().decode(reply.value)
      : undefined;
  }
}

for (const maxResting of [100, 0]) {
  const where = maxResting === 0 ? "on the disk" : "in memory";
  Deno.test(`a value whose time is over is absent, and computed anew, ${where}`, async () => {
    const site = await Site.open(maxResting);
    await site.publish("old", TTL_MS);
    site.clock.advance(TTL_MS - 1);
    assert.equal(await site.text(), "old");
    site.clock.advance(1);
    assert.equal(await site.text(), undefined);
    await site.publish("new");
    site.clock.advance(100 * TTL_MS);
    assert.equal(await site.text(), "new", "the next one has no end");
  });
}

Deno.test("the time to live begins when the value is published", async () => {
  const site = await Site.open();
  const id = await site.assigned(TTL_MS);
  site.clock.advance(5 * TTL_MS);
  await site.set(id, "slow");
  site.clock.advance(TTL_MS - 1);
  assert.equal(await site.text(), "slow");
  const info = await site.inside.manifest.stat(ENTRY);
  assert.equal(info?.computedMs, 5 * TTL_MS);
  assert.equal(info.expiresMs, site.clock.wallMs() + 1);
});

Deno.test("a restart changes nothing of a time to live, before and after the publish", async () => {
  const site = await Site.open();
  const id = await site.assigned(TTL_MS);
  await site.restart();
  await site.set(id, "kept");
  await site.restart();
  assert.equal(await site.text(), "kept");
  site.clock.advance(TTL_MS);
  assert.equal(await site.text(), undefined);
  // Also while the old value is being taken away.
  await site.assigned();
});

Deno.test("whoever takes the work over decides how long its value lives", async () => {
  const site = await Site.open();
  await site.assigned(TTL_MS);
  site.clock.advance(100_000);
  await site.publish("for ever");
  site.clock.advance(100 * TTL_MS);
  assert.equal(await site.text(), "for ever");
});

Deno.test("a path that was handed out stays, though its time is over", async () => {
  const site = await Site.open();
  await site.publish("read", TTL_MS);
  const reply = await site.get({ api: "local" });
  assert.equal(reply.kind, "handle");
  site.clock.advance(TTL_MS);
  await site.evictor.sweep();
  assert.equal((await site.inside.manifest.find(ENTRY))?.status, "ready");
  assert.deepEqual(await site.get(), {
    kind: "unassigned",
    reason: "still-read",
  });
  // The handles of before a restart are not known any more.
  await site.restart();
  await site.evictor.sweep();
  assert.equal((await site.get()).kind, "unassigned");
  assert.equal((await site.inside.manifest.find(ENTRY))?.status, "ready");
  site.clock.advance(HANDLE_LEASE_MS);
  await site.publish("new");
  assert.equal(await site.text(), "new");
});

Deno.test("what is over is taken away though nobody asks, and no other value", async () => {
  const site = await Site.open();
  const { manifest, engine } = site.inside;
  await site.publish("old", TTL_MS);
  site.clock.advance(TTL_MS - 1);
  await site.evictor.sweep();
  assert.equal((await manifest.find(ENTRY))?.status, "ready");
  site.clock.advance(1);
  const expired = manifest.expired.bind(manifest);
  manifest.expired = async (...args) => {
    const page = await expired(...args);
    // Between the look and the removal another value takes its place.
    if (page.items.length > 0) await site.publish("new", 100 * TTL_MS);
    return page;
  };
  await site.evictor.sweep();
  assert.equal(await site.text(), "new");
  manifest.expired = expired;
  site.clock.advance(100 * TTL_MS + EVICTION_INTERVAL_MS);
  await site.evictor.sweep();
  assert.equal(await manifest.find(ENTRY), undefined);
  assert.deepEqual(await manifest.usage(), []);
  await engine.close();
});

Deno.test("hits, misses and what hits have saved are counted", async () => {
  const site = await Site.open();
  const id = await site.assigned();
  site.clock.advance(3_000);
  await site.set(id, "v");
  for (let hits = 0; hits < 2; hits++) await site.text();
  await site.get({ api: "local" });
  const { hits, misses, savedMs } = site.inside.engine.counts();
  assert.deepEqual({ hits, misses, savedMs }, {
    hits: 3,
    misses: 1,
    savedMs: 9_000,
  });
});

Deno.test("what computing took counts from its begin, over a restart", async () => {
  const site = await Site.open();
  const id = await site.assigned();
  site.clock.advance(3_000);
  await site.restart();
  site.clock.advance(2_000);
  await site.inside.engine.ask({ kind: "heartbeat", id });
  const [work] = site.inside.engine.underWay(1);
  assert.equal(work?.computingMs, 5_000);
  await site.set(id, "v");
  await site.text();
  // What memory says is what the manifest says.
  assert.equal(site.inside.engine.counts().savedMs, 5_000);
  const info = await site.inside.manifest.stat(ENTRY);
  assert.equal(info?.computedMs, 5_000);
});
