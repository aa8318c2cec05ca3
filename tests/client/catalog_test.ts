/**
 * The library looks at what is kept, and takes it away.
 */

import assert from "node:assert/strict";
import { Cache, type CacheError, memory, TieredCache } from "../../src/mod.ts";
import { FaultProxy } from "../support/fault_proxy.ts";
import { withOriginal } from "./original_server.ts";
import { gate, withServerHere } from "./support.ts";

const utf8 = new TextEncoder();

async function fails(
  call: Promise<unknown>,
  code: CacheError["code"],
  message: RegExp,
): Promise<void> {
  await assert.rejects(call, (error: CacheError) => {
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("stat, list and delete know an entry by the key of its program", () =>
  withServerHere(async ({ remote }) => {
    await using cache = await Cache.connect({ remote });
    const key = { model: "small", seed: 7 };
    assert.equal(await cache.stat("lab.runs", key), undefined);
    assert.equal(await cache.delete("lab.runs", key), false);
    await cache.set("lab.runs", key, [1, 2, 3]);
    await cache.set("lab.runs", utf8.encode("a key"), "text");
    const stat = await cache.stat("lab.runs", key);
    assert.equal(stat?.status, "ready");
    assert.equal(stat.size, "[1,2,3]".length);
    assert.ok(Math.abs(Date.now() - stat.createdMs) < 600_000);
    const listed = [];
    for await (const entry of cache.list("lab.runs")) listed.push(entry);
    assert.deepEqual(
      listed.map(({ size }) => size).sort(),
      [6, 7],
    );
    assert.equal(await cache.delete("lab.runs", key), true);
    assert.equal(await cache.get("lab.runs", key), undefined);
    await fails(cache.stat("not-a-namespace", key), "invalid", /namespace/);
  }));

Deno.test("each call that looks at what is there, or removes it, ends with its deadline", () =>
  withServerHere(async ({ remote }) => {
    await using proxy = await FaultProxy.start(remote);
    await using cache = await Cache.connect({ remote: proxy.address });
    await cache.set("lab.runs", 1, 1);
    proxy.still();
    const bounds = { deadlineMs: 100 };
    const calls = [
      cache.stat("lab.runs", 1, bounds),
      cache.delete("lab.runs", 1, bounds),
      cache.invalidate("lab.runs", bounds),
      cache.list("lab.runs", bounds).next(),
    ];
    const passed = /the deadline of 100 ms has passed/;
    await Promise.all(calls.map((call) => fails(call, "deadline", passed)));
  }));

Deno.test("what is being computed is not deleted, and is named by its key", () =>
  withServerHere(async ({ remote }) => {
    await using cache = await Cache.connect({ remote });
    const started = gate();
    const goOn = gate();
    const computed = cache.generate("lab.runs", { n: 7 }, async () => {
      started.resolve();
      await goOn.promise;
      return 7;
    });
    await started.promise;
    await fails(
      cache.delete("lab.runs", { n: 7 }),
      "in-use",
      /cannot delete lab\.runs \{"n":7\}: it is being read or computed/,
    );
    goOn.resolve();
    assert.equal(await computed, 7);
    assert.equal(await cache.delete("lab.runs", { n: 7 }), true);
  }));

Deno.test("set overwrites where it is told to", () =>
  withServerHere(async ({ remote }) => {
    await using cache = await Cache.connect({ remote });
    assert.equal(await cache.set("ns", "k", 1), true);
    assert.equal(await cache.set("ns", "k", 2), false);
    assert.equal(await cache.get("ns", "k"), 1);
    assert.equal(await cache.set("ns", "k", 3, { overwrite: true }), true);
    assert.equal(await cache.get("ns", "k"), 3);
    assert.equal(await cache.set("ns", "new", 4, { overwrite: true }), true);
    assert.equal(await cache.get("ns", "new"), 4);
  }));

Deno.test("a value that is read is not overwritten under its reader", () =>
  withServerHere(async ({ remote, local }) => {
    await using cache = await Cache.connect({ remote });
    await using reader = await Cache.connect({ local });
    await cache.set("ns", "k", "old");
    const claim = await reader.claim("ns", "k");
    assert.equal(claim.kind, "ready");
    await fails(
      cache.set("ns", "k", "new", { overwrite: true }),
      "in-use",
      /cannot replace ns "k": it is being read/,
    );
    if (claim.kind === "ready") await claim.body.release();
    await cache.set("ns", "k", "new", { overwrite: true });
    assert.equal(await cache.get("ns", "k"), "new");
  }));

Deno.test("a namespace is invalidated, in whole or by what its keys begin with", () =>
  withServerHere(async ({ remote }) => {
    await using cache = await Cache.connect({ remote });
    for (const key of ["run-1", "run-2", "other"]) {
      await cache.set("ns", utf8.encode(key), key);
    }
    await cache.set("other", "k", 1);
    const prefix = utf8.encode("run-");
    const runs = { entries: 2, bytes: 14, inUse: 0 };
    assert.deepEqual(
      await cache.invalidate("ns", { prefix, dryRun: true }),
      runs,
    );
    const old = { prefix, olderThanMs: 3_600_000 };
    assert.equal((await cache.invalidate("ns", old)).entries, 0);
    const seen: number[] = [];
    const onProgress = ({ entries }: { entries: number }) => seen.push(entries);
    assert.deepEqual(
      await cache.invalidate("ns", { prefix, onProgress }),
      runs,
    );
    assert.deepEqual(seen, [2]);
    assert.equal((await cache.invalidate("ns")).entries, 1);
    assert.equal(await cache.get("other", "k"), 1);
    await assert.rejects(
      cache.invalidate("ns", { prefix: "run" as unknown as Uint8Array }),
      /prefix must be a Uint8Array/,
    );
  }));

Deno.test("of several tiers, each lets go of a value", () =>
  withServerHere(async ({ remote }) => {
    await using cache = new TieredCache([
      memory({ maxBytes: 1_000_000 }),
      await Cache.connect({ remote }),
    ]);
    await cache.generate("ns", "k", () => 1);
    assert.equal((await cache.stat("ns", "k"))?.size, 1);
    assert.equal(await cache.delete("ns", "k"), true);
    assert.equal(await cache.get("ns", "k"), undefined);
    await cache.set("ns", "k", 2);
    await cache.set("ns", "k", 3, { overwrite: true });
    assert.equal(await cache.get("ns", "k"), 3);
    await using other = await Cache.connect({ remote });
    assert.equal(await other.get("ns", "k"), 3);
    assert.equal((await cache.invalidate("ns")).entries, 2);
    const { source } = await cache.generateDetailed("ns", "k", () => 4);
    assert.equal(source, "computed");
  }));

Deno.test("nobody is told that a value is gone which may be there", async () => {
  await using cache = await Cache.connect({
    remote: "127.0.0.1:1",
    patienceMs: 50,
  });
  for (
    const call of [
      () => cache.delete("ns", "k"),
      () => cache.stat("ns", "k"),
      () => cache.invalidate("ns"),
      () => cache.list("ns").next(),
    ]
  ) await fails(call(), "unavailable", /127\.0\.0\.1:1/);
  await using tiers = new TieredCache([memory({ maxBytes: 1_000 }), cache]);
  await fails(tiers.delete("ns", "k"), "unavailable", /cannot delete/);
});

Deno.test("an original server has no calls for it, and is not bothered again", () =>
  withOriginal(async ({ remote }) => {
    await using cache = await Cache.connect({ remote });
    await cache.set("ns", "k", 1);
    for (
      const call of [
        cache.delete("ns", "k"),
        cache.invalidate("ns"),
        cache.set("ns", "k", 2, { overwrite: true }),
      ]
    ) await fails(call, "unimplemented", /original/);
    assert.equal(await cache.get("ns", "k"), 1);
  }));
