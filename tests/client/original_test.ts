/** Servers that lack larder.v1 do all that they can. */

import assert from "node:assert/strict";
import { bytes, Cache, type Outage } from "../../src/client/mod.ts";
import { withOriginal } from "./original_server.ts";
import { gate } from "./support.ts";

for (const kind of ["remote", "local"] as const) {
  Deno.test(`when the server is an original: it computes once, too (${kind})`, () =>
    withOriginal(async (server) => {
      await using worker = await Cache.connect({ [kind]: server[kind] });
      await using waiter = await Cache.connect({ [kind]: server[kind] });
      const [started, result] = [gate(), gate<number>()];
      const working = worker.generateDetailed("a", "k", () => {
        started.resolve();
        return result.promise;
      });
      await started.promise;
      const waiting = waiter.generateDetailed("a", "k", () => 2);
      result.resolve(1);
      assert.deepEqual(await working, { value: 1, source: "computed" });
      assert.deepEqual(await waiting, { value: 1, source: kind });
    }));

  Deno.test(`when the server is an original: it takes streams, and gives them (${kind})`, () =>
    withOriginal(async (server) => {
      await using cache = await Cache.connect({ [kind]: server[kind] });
      const piece = new Uint8Array(100_000).fill(7);
      const pieces = ReadableStream.from([piece, piece, piece]);
      assert(await cache.setStream("a", "k", pieces));
      const stream = await cache.getStream("a", "k");
      const value = await new Response(stream).bytes();
      assert.deepEqual(value, new Uint8Array(300_000).fill(7));
    }));

  Deno.test(`when the connection to an original breaks while something is computed: no value is published for somebody else's id (${kind})`, () =>
    withOriginal(async (server) => {
      const outages: Outage[] = [];
      await using before = await Cache.connect({
        [kind]: server[kind],
        onOutage: (outage) => outages.push(outage),
      });
      await using after = await Cache.connect({ [kind]: server[kind] });
      const [started, early] = [gate(), gate<string>()];
      const working = before.generateDetailed("a", "before", () => {
        started.resolve();
        return early.promise;
      });
      await started.promise;
      await server.restart();
      const [taken, late] = [gate(), gate<string>()];
      const other = after.generateDetailed("a", "after", () => {
        taken.resolve();
        return late.promise;
      });
      await taken.promise;
      early.resolve("of before");
      assert.deepEqual(await working, {
        value: "of before",
        source: "uncached",
      });
      assert.match(outages[0]!.error.message, /the connection broke/);
      // Nothing was published for either key: both are computed.
      late.resolve("of after");
      assert.deepEqual(await other, { value: "of after", source: "computed" });
      const read = async (key: string) =>
        await after.generate("a", key, () => `${key} anew`);
      assert.equal(await read("after"), "of after");
      assert.equal(await read("before"), "before anew");
      // A connection that lasts publishes as ever.
      assert.deepEqual(await before.generateDetailed("a", "next", () => "n"), {
        value: "n",
        source: "computed",
      });
    }));

  Deno.test(`when a computation throws, is given up, or its value is too large, on an original: the next who asks computes when the lease ends (${kind})`, () =>
    withOriginal(async (server) => {
      await using cache = await Cache.connect({ [kind]: server[kind] });
      const fail = () => Promise.reject(new Error("no"));
      await assert.rejects(cache.generate("a", "k", fail), /no/);
      assert.equal(await cache.generate("a", "k", () => 1), 1);
    }));
}

Deno.test("when a computation throws, is given up, or its value is too large, on an original: it is a result all the same", () =>
  withOriginal(async ({ remote }) => {
    const outages: Outage[] = [];
    await using cache = await Cache.connect({
      remote,
      onOutage: (outage) => outages.push(outage),
    });
    const large = new Uint8Array(3_000_000);
    const made = await cache.generateDetailed("a", "k", () => large, {
      codec: bytes,
    });
    assert.deepEqual(made, { value: large, source: "uncached" });
    assert.match(outages[0]!.error.message, /cannot publish/);
  }));
