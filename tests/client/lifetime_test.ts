/**
 * The library keeps values for a time, and says what a hit has saved.
 */

import assert from "node:assert/strict";
import { Cache, memory, TieredCache } from "../../src/mod.ts";
import { until } from "../support/waiting.ts";
import { withOriginal } from "./original_server.ts";
import { withServerHere } from "./support.ts";

const HOUR_MS = 3_600_000;

Deno.test("a value with a time to live is computed again when that is over", () =>
  withServerHere(async ({ remote }) => {
    await using cache = await Cache.connect({ remote });
    let computed = 0;
    const next = () => ++computed;
    const ttlMs = 300;
    assert.equal(await cache.generate("ns", "k", next, { ttlMs }), 1);
    await until(async () => await cache.get("ns", "k") === undefined);
    assert.equal(await cache.generate("ns", "k", next), 2);
    assert.equal(await cache.set("ns", "set", 1, { ttlMs: HOUR_MS }), true);
    const stat = await cache.stat("ns", "set");
    assert.ok(stat!.expiresMs > Date.now());
    assert.equal((await cache.stat("ns", "k"))!.expiresMs, 0);
    for (const ttlMs of [0, -1, NaN, 1e15]) {
      await assert.rejects(
        cache.generate("ns", "bad", next, { ttlMs }),
        RangeError,
      );
    }
  }));

Deno.test("a tier in memory keeps a value no longer than it lives", () =>
  withServerHere(async ({ remote }) => {
    await using server = await Cache.connect({ remote });
    await using cache = new TieredCache([
      memory({ maxBytes: 1_000_000 }),
      await Cache.connect({ remote }),
    ]);
    const ttlMs = 700;
    await cache.set("ns", "own", 1, { ttlMs });
    await server.set("ns", "other", 2, { ttlMs });
    await cache.get("ns", "other");
    for (const key of ["own", "other"]) {
      await until(async () => await cache.get("ns", key) === undefined);
    }
  }));

Deno.test("a hit says what computing had taken", () =>
  withServerHere(async ({ remote }) => {
    await using cache = await Cache.connect({ remote });
    const slow = () =>
      new Promise<number>((resolve) => setTimeout(() => resolve(7), 300));
    const first = await cache.generateDetailed("ns", "k", slow);
    assert.equal(first.savedMs, undefined);
    const { savedMs, source } = await cache.generateDetailed("ns", "k", slow);
    assert.equal(source, "remote");
    assert.ok(savedMs! >= 250, `${savedMs}`);
  }));

Deno.test("an original server is given nothing that it would keep for ever", () =>
  withOriginal(async ({ remote }) => {
    await using cache = await Cache.connect({ remote });
    const ttlMs = HOUR_MS;
    const kept = await cache.generateDetailed("ns", "k", () => 1, { ttlMs });
    assert.deepEqual(kept, { value: 1, source: "uncached" });
    assert.equal(await cache.generate("ns", "k", () => 2), 2);
    const hit = await cache.generateDetailed("ns", "k", () => 3, { ttlMs });
    assert.deepEqual(hit, { value: 2, source: "remote" });
  }));
