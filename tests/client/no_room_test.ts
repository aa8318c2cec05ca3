/** What is not kept is not said to be kept. */

import assert from "node:assert/strict";
import {
  bytes,
  Cache,
  type CacheError,
  memory,
  type Outage,
  TieredCache,
} from "../../src/client/mod.ts";
import { FaultProxy } from "../support/fault_proxy.ts";
import { gate, withServerHere } from "./support.ts";

const MIB = 1024 * 1024;
const LARGE = new Uint8Array(2 * MIB).fill(7);
const SMALL = Uint8Array.of(7);
const codec = bytes;

/** All the calls that keep a value: none says that a large one is kept. */
async function keepsOnlySmall(
  cache: Cache | TieredCache,
  outages: readonly Outage[],
): Promise<void> {
  async function* pieces() {
    for (let at = 0; at < LARGE.length; at += MIB) {
      yield LARGE.subarray(at, at + MIB);
    }
  }
  assert.equal(await cache.set("a", "set", LARGE, { codec }), false);
  assert.equal(await cache.setStream("a", "whole", LARGE), false);
  assert.equal(await cache.setStream("a", "pieces", pieces()), false);
  for (const key of ["set", "whole", "pieces"]) {
    assert.equal(await cache.getStream("a", key), undefined);
  }
  const made = await cache.generateDetailed("a", "made", () => LARGE, {
    codec,
  });
  assert.deepEqual(made, { value: LARGE, source: "uncached" });
  assert.equal(outages.length, 4);
  const stream = await cache.generateStream("a", "stream", pieces);
  assert.deepEqual(await new Response(stream).bytes(), LARGE);
  assert.equal(await cache.getStream("a", "stream"), undefined);
  for (const { error } of outages) {
    assert.equal((error as CacheError).code, "full", error.message);
  }

  assert.equal(await cache.set("a", "small", SMALL, { codec }), true);
  assert.deepEqual(await cache.get("a", "small", { codec }), SMALL);
}

Deno.test("when the value cannot be kept (too large, no room): memory says so", async () => {
  const outages: Outage[] = [];
  await using cache = new TieredCache([memory({ maxBytes: MIB })], {
    onOutage: (outage) => outages.push(outage),
  });
  await keepsOnlySmall(cache, outages);
});

for (const kind of ["remote", "local"] as const) {
  Deno.test(`when the value cannot be kept (too large, no room): a server says so (${kind})`, () =>
    withServerHere(async (server) => {
      const outages: Outage[] = [];
      await using cache = await Cache.connect({
        [kind]: server[kind],
        onOutage: (outage) => outages.push(outage),
      });
      await keepsOnlySmall(cache, outages);
    }, ["--max-bytes", "1MiB"]));
}

Deno.test("when the value cannot be kept (too large, no room): a tier that keeps it is enough", () =>
  withServerHere(async ({ remote }) => {
    const outages: Outage[] = [];
    await using cache = new TieredCache([
      memory({ maxBytes: MIB }),
      await Cache.connect({ remote }),
    ], { onOutage: (outage) => outages.push(outage) });
    const generate = () =>
      cache.generateDetailed("a", "k", () => LARGE, { codec });
    assert.equal((await generate()).source, "computed");
    assert.equal((await generate()).source, "remote");
    assert.deepEqual(outages, []);
  }));

Deno.test("when the value cannot be kept (too large, no room): no tier keeps it", () =>
  withServerHere(async ({ remote }) => {
    await using proxy = await FaultProxy.start(remote);
    const outages: string[] = [];
    const server = await Cache.connect({
      remote: proxy.address,
      patienceMs: 50,
    });
    await using cache = new TieredCache([memory({ maxBytes: MIB }), server], {
      onOutage: ({ error }) => outages.push((error as CacheError).code),
    });
    const generate = (value: Uint8Array) =>
      cache.generateDetailed("a", "k", () => {
        proxy.down();
        return value;
      }, { codec });
    assert.equal((await generate(LARGE)).source, "uncached");
    assert.deepEqual(outages, ["unavailable"]);
    // While the server is away, memory gives the work out.
    assert.equal((await generate(LARGE)).source, "uncached");
    assert.equal(outages.at(-1), "full");
    assert.equal((await generate(SMALL)).source, "computed");
    assert.equal((await generate(SMALL)).source, "memory");
  }));

Deno.test("when a deadline passes, or a signal is aborted: memory waits for no stream", async () => {
  await using cache = new TieredCache([memory({ maxBytes: MIB })]);
  const never = gate();
  async function* stuck() {
    yield SMALL;
    await never.promise;
  }
  await assert.rejects(
    cache.setStream("a", "k", stuck(), { deadlineMs: 50 }),
    { code: "deadline" },
  );
  never.resolve();
  assert.equal(await cache.getStream("a", "k"), undefined);
});

Deno.test("memory copies pieces that are used again, and says how far it is", async () => {
  await using cache = new TieredCache([memory({ maxBytes: MIB })]);
  async function* pieces() {
    const piece = new Uint8Array(1);
    for (let at = 0; at < 3; at++) yield piece.fill(at);
  }
  const done: number[] = [];
  const onProgress = (progress: { done: number }) => done.push(progress.done);
  assert(await cache.setStream("a", "k", pieces(), { onProgress }));
  const read = await cache.get("a", "k", { codec });
  assert.deepEqual([...read!], [0, 1, 2]);
  assert.deepEqual(done, [1, 2, 3]);
});
