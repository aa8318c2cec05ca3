/** What is kept and is no value gives way to what is; bytes are those kept. */

import assert from "node:assert/strict";
import {
  bytes,
  Cache,
  json,
  memory,
  messagepack,
  type Outage,
  TieredCache,
} from "../../src/client/mod.ts";
import { bytesOf } from "../support/clients.ts";
import { FaultProxy } from "../support/fault_proxy.ts";
import type { Answering } from "../support/server_here.ts";
import { FILL, spoilAfter } from "./spoilt.ts";
import { withServerHere } from "./support.ts";

const MIB = 1024 * 1024;

/** Puts bytes under a key that are no JSON. */
async function putGarbage(
  { remote }: Answering,
  key: string,
  garbage = bytesOf("{"),
): Promise<void> {
  await using cache = await Cache.connect({ remote });
  assert(await cache.set("a", key, garbage, { codec: bytes }));
}

for (const kind of ["remote", "local"] as const) {
  for (const size of [1, 2 * MIB]) {
    Deno.test(`when what is kept cannot be read by the codec: ${size} bytes are computed anew (${kind})`, () =>
      withServerHere(async (server) => {
        await putGarbage(server, "k", new Uint8Array(size).fill(FILL));
        const outages: Outage[] = [];
        const connect = () =>
          Cache.connect({
            [kind]: server[kind],
            onOutage: (outage) => outages.push(outage),
          });
        await using cache = await connect();
        await using other = await connect();
        await assert.rejects(cache.get("a", "k"), { name: "CodecError" });
        const made = await cache.generateDetailed("a", "k", () => 7);
        assert.deepEqual(made, { value: 7, source: "computed" });
        const found = await other.generateDetailed("a", "k", () => 8);
        assert.deepEqual([found.value, found.source], [7, kind]);
        assert.equal(outages.length, 1);
        assert.match(outages[0]!.error.message, /cannot be read: json: /);
      }));
  }

  Deno.test(`when what is kept cannot be read by the codec: of many who find it, one computes (${kind})`, () =>
    withServerHere(async (server) => {
      await putGarbage(server, "k");
      const connect = () =>
        Cache.connect({ [kind]: server[kind], onOutage: () => {} });
      const caches = await Promise.all(Array.from({ length: 8 }, connect));
      let runs = 0;
      const values = await Promise.all(
        caches.map((cache) => cache.generate("a", "k", () => ++runs)),
      );
      assert.deepEqual(new Set(values), new Set([1]));
      await Promise.all(caches.map((cache) => cache.close()));
    }));
}

Deno.test("when what is kept cannot be read by the codec: no tier keeps it", () =>
  withServerHere(async (near) => {
    await withServerHere(async (far) => {
      for (const key of ["read", "generated"]) await putGarbage(far, key);
      const connect = async () =>
        new TieredCache([
          memory({ maxBytes: 1_000 }),
          await Cache.connect({ local: near.local }),
          await Cache.connect({ remote: far.remote }),
        ], { onOutage: () => {} });
      await using cache = await connect();
      await assert.rejects(cache.get("a", "read"), { name: "CodecError" });
      await using later = await connect();
      await using only = await Cache.connect({ local: near.local });
      assert.equal(await only.get("a", "read"), undefined);

      const made = await cache.generateDetailed("a", "generated", () => 7);
      assert.deepEqual(made, { value: 7, source: "computed" });
      for (
        const [each, source] of [[cache, "memory"], [later, "local"]] as const
      ) {
        const found = await each.generateDetailed("a", "generated", () => 8);
        assert.deepEqual([found.value, found.source], [7, source]);
      }
    });
  }));

Deno.test("when what is kept cannot be read by the codec: a tier that has garbage of its own gives it up", () =>
  withServerHere(async ({ remote }) => {
    await using cache = new TieredCache([
      memory({ maxBytes: 1_000 }),
      await Cache.connect({ remote }),
    ], { onOutage: () => {} });
    const day = new Date(0);
    const days = messagepack<Date>();
    assert(await cache.set("a", "k", day, { codec: days }));
    const made = await cache.generateDetailed("a", "k", () => 7, {
      codec: json<number>(),
    });
    assert.deepEqual(made, { value: 7, source: "computed" });
    assert.equal(await cache.get("a", "k"), 7);
  }));

for (const isCut of [false, true]) {
  const how = isCut ? "that goes on after a cut" : "in one piece";
  Deno.test(`when what comes is not what is kept: nobody has a download ${how}`, () =>
    withServerHere(async ({ remote }) => {
      await using writer = await Cache.connect({ remote });
      const value = new Uint8Array(4 * MIB).fill(FILL);
      assert(await writer.set("a", "k", value, { codec: bytes }));
      const faults = () => {
        const spoilt = {
          toClient: { spoil: spoilAfter(MIB) },
        };
        return isCut ? [{ toClient: { afterBytes: MIB } }, spoilt] : spoilt;
      };
      const outages: Outage[] = [];
      const onOutage = (outage: Outage) => outages.push(outage);
      const told = /not the value that the server has told of/;

      {
        await using proxy = await FaultProxy.start(remote, faults());
        const remotely = { remote: proxy.address, onOutage };
        await using reader = await Cache.connect(remotely);
        const made = await reader.generateDetailed(
          "a",
          "k",
          () => Uint8Array.of(7),
          { codec: bytes },
        );
        assert.equal(made.source, "uncached");
        assert.deepEqual([...made.value], [7]);
        assert.match(outages[0]!.error.message, told);
      }
      await using proxy = await FaultProxy.start(remote, faults());
      await using reader = await Cache.connect({ remote: proxy.address });
      const stream = await reader.getStream("a", "k");
      let read = 0;
      await assert.rejects(async () => {
        for await (const piece of stream!) read += piece.length;
      }, told);
      assert(read < value.length, "nobody had it whole");
      const again = await writer.get("a", "k", { codec: bytes });
      assert.equal(again!.length, value.length, "it is still there");
    }));
}

Deno.test("when what comes is not what is kept: nobody has a file that was changed", () =>
  withServerHere(async ({ local, root }) => {
    await using cache = await Cache.connect({ local, onOutage: () => {} });
    assert(await cache.set("a", "k", 7));
    const stream = await cache.getStream("a", "k");
    const [{ name }] = [...Deno.readDirSync(`${root}/a`)] as [Deno.DirEntry];
    const path = `${root}/a/${name}`;
    Deno.chmodSync(path, 0o644);
    Deno.writeTextFileSync(path, "8");
    await assert.rejects(new Response(stream).bytes(), /told of/);
  }));
