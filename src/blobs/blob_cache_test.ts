import assert from "node:assert/strict";
import type { Digest } from "../table/types.ts";
import { BlobCache } from "./blob_cache.ts";
import { bytesOf, digestOf } from "./testing/blob_store_contract.ts";

/** A store whose reads wait until they are told to end. */
class SlowStore {
  readonly reads: { name: string; end: (value?: Uint8Array) => void }[] = [];

  read(name: string, digest: Digest): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const end = (value: Uint8Array = bytesOf(digest.size)) =>
        value.length === digest.size ? resolve(value) : reject(new Error("no"));
      this.reads.push({ name, end });
    });
  }

  endAll(): void {
    for (const { end } of this.reads.splice(0)) end();
  }
}

const digest = digestOf(bytesOf(1000));

async function fill(cache: BlobCache, store: SlowStore, names: string[]) {
  const reading = names.map((name) => cache.read(name, "1", digest));
  store.endAll();
  await Promise.all(reading);
}

Deno.test("BlobCache reads a cold value once for many callers, then keeps it", async () => {
  const store = new SlowStore();
  const cache = new BlobCache(store);
  const reading = Array.from(
    { length: 50 },
    () => cache.read("a", "1", digest),
  );
  assert.equal(store.reads.length, 1);
  assert.equal(cache.get("a", "1"), undefined);
  store.endAll();
  const values = await Promise.all(reading);
  assert.equal(new Set(values).size, 1);
  assert.equal(cache.get("a", "1"), values[0]);
  assert.equal(await cache.read("a", "1", digest), values[0]);
  assert.equal(store.reads.length, 0);
  const { hits, misses, entries } = cache.stats;
  assert.deepEqual({ hits, misses, entries }, {
    hits: 2,
    misses: 50,
    entries: 1,
  });
});

Deno.test("BlobCache never returns another generation", async () => {
  const store = new SlowStore();
  const cache = new BlobCache(store);
  const old = cache.read("a", "1", digest);
  const young = cache.read("a", "2", digest);
  assert.equal(store.reads.length, 2);
  const [first, second] = store.reads;
  second?.end(bytesOf(1000, 2));
  assert.deepEqual(await young, bytesOf(1000, 2));
  first?.end(bytesOf(1000, 1));
  assert.deepEqual(await old, bytesOf(1000, 1));
  assert.equal(cache.get("a", "1"), undefined);
  assert.equal(cache.get("a", "2"), await young);
});

Deno.test("BlobCache forgets what it keeps and what it is reading", async () => {
  const store = new SlowStore();
  const cache = new BlobCache(store);
  const reading = cache.read("a", "1", digest);
  cache.forget("a");
  store.endAll();
  await reading;
  assert.equal(cache.get("a", "1"), undefined);
  await fill(cache, store, ["a"]);
  cache.forget("a");
  assert.equal(cache.get("a", "1"), undefined);
  assert.equal(cache.stats.bytes, 0);
});

Deno.test("BlobCache does not keep a failure", async () => {
  const store = new SlowStore();
  const cache = new BlobCache(store);
  const reading = [cache.read("a", "1", digest), cache.read("a", "1", digest)];
  store.reads.splice(0)[0]?.end(new Uint8Array(1));
  for (const result of await Promise.allSettled(reading)) {
    assert.equal(result.status, "rejected");
  }
  await fill(cache, store, ["a"]);
  assert.ok(cache.get("a", "1"));
});

Deno.test("BlobCache stays within its bytes: the least recently used goes first", async () => {
  const store = new SlowStore();
  const cache = new BlobCache(store, 10_000);
  await fill(cache, store, ["a", "b", "c", "d", "e", "f"]);
  cache.get("a", "1");
  await fill(cache, store, ["g"]);
  assert.ok(cache.get("a", "1"));
  assert.equal(cache.get("b", "1"), undefined);
  assert.ok(cache.stats.bytes <= 10_000);
  assert.equal(cache.stats.entries, 6);
});

Deno.test("BlobCache keeps no value that would push most others out, and none at size 0", async () => {
  const store = new SlowStore();
  const small = new BlobCache(store, 4_000);
  await fill(small, store, ["a"]);
  assert.equal(small.stats.entries, 0);
  const none = new BlobCache(store, 0);
  const reading = [none.read("a", "1", digest), none.read("a", "1", digest)];
  assert.equal(store.reads.length, 1);
  store.endAll();
  await Promise.all(reading);
  assert.equal(none.stats.entries, 0);
});

Deno.test("BlobCache frees a large value once it is neither kept nor lent", async () => {
  const large = digestOf(bytesOf(100_000));
  const store = new SlowStore();
  const freed: ArrayBuffer[] = [];
  const cache = new BlobCache(store, 500_000, (buffer) => freed.push(buffer));
  const read = async (name: string, callers = 1) => {
    const reading = Array.from(
      { length: callers },
      () => cache.read(name, "1", large),
    );
    store.endAll();
    const [value] = await Promise.all(reading);
    return value!;
  };
  const sent = await read("sent");
  const shared = await read("shared", 2);
  const kept = await read("kept");
  cache.giveBack(shared);
  cache.giveBack(kept);
  await Promise.resolve();
  assert.deepEqual(freed, [], "all of them are kept");

  for (const name of ["sent", "shared"]) cache.forget(name);
  await Promise.resolve();
  assert.deepEqual(freed, [], "two are lent");

  cache.giveBack(shared);
  cache.giveBack(sent);
  // Somebody else is given it in the same turn.
  cache.lend(sent);
  await Promise.resolve();
  assert.deepEqual(freed, [shared.buffer]);
  cache.giveBack(sent);
  await Promise.resolve();
  assert.deepEqual(freed, [shared.buffer, sent.buffer]);

  // The oldest makes room for the others.
  for (let i = 0; i < 4; i++) cache.giveBack(await read(`${i}`));
  await Promise.resolve();
  assert.deepEqual(freed.slice(2), [kept.buffer]);
});

Deno.test("BlobCache leaves small values, and those that were never read, to V8", async () => {
  const store = new SlowStore();
  const cache = new BlobCache(store, 0, () => assert.fail("it was freed"));
  const reading = cache.read("a", "1", digest);
  store.endAll();
  cache.giveBack(await reading);
  cache.giveBack(bytesOf(100_000));
  await Promise.resolve();
});
