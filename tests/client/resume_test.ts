/** A large value whose connection breaks on the way is read on from there. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { bytes, Cache, type Outage } from "../../src/client/mod.ts";
import { keyBytes } from "../../src/client/keys.ts";
import { CacheClient } from "../v1/client.ts";
import { FaultProxy } from "../support/fault_proxy.ts";
import { until } from "../support/waiting.ts";
import { withServerHere } from "./support.ts";

const NS = "tests.resume";
const SIZE = 16 * 1024 * 1024;
const CUT = { toClient: { afterBytes: 6 * 1024 * 1024 } };
const PIECE = 256 * 1024;

function randomBytes(size: number): Uint8Array {
  const value = new Uint8Array(size);
  for (let at = 0; at < size; at += 65_536) {
    crypto.getRandomValues(value.subarray(at, at + 65_536));
  }
  return value;
}

Deno.test("when the server restarts: a download goes on where its connection broke", () =>
  withServerHere(async ({ remote }) => {
    const value = randomBytes(SIZE);
    await using writer = await Cache.connect({ remote });
    assert.equal(await writer.set(NS, "large", value, { codec: bytes }), true);

    await using proxy = await FaultProxy.start(remote, [CUT, CUT, {}]);
    const outages: unknown[] = [];
    await using reader = await Cache.connect({
      remote: proxy.address,
      onOutage: (outage) => outages.push(outage),
    });
    const read = await reader.get(NS, "large", { codec: bytes });
    assert(read !== undefined && Buffer.compare(read, value) === 0);
    assert.deepEqual(outages, []);
    assert.equal(proxy.connections, 3);
    // What came is not sent again: a start from the beginning makes 28 MiB.
    assert(proxy.received < 1.1 * SIZE, `${proxy.received} bytes were sent`);
  }));

for (const young of [undefined, randomBytes(SIZE)]) {
  const fate = young ? "replaced" : "removed";
  Deno.test(`when the server restarts: a download whose value is ${fate} meanwhile is no mixture`, () =>
    withServerHere(async ({ remote }) => {
      const codec = bytes;
      await using writer = await Cache.connect({ remote });
      await writer.set(NS, "large", randomBytes(SIZE), { codec });

      await using proxy = await FaultProxy.start(remote);
      await using reader = await Cache.connect({ remote: proxy.address });
      const stream = await reader.getStream(NS, "large");
      const pieces = stream!.getReader();
      await pieces.read();
      proxy.cut();
      using admin = new CacheClient(remote);
      const entry = { namespace: NS, key: keyBytes("large") };
      // The server may still be reading a piece for the one who has gone.
      await until(async () => {
        const { handles } = await admin.call<{ handles: string }>("Usage");
        return handles === "0";
      });
      assert.deepEqual(await admin.call("Delete", entry), { deleted: true });
      if (young) assert(await writer.set(NS, "large", young, { codec }));
      await assert.rejects(async () => {
        while (!(await pieces.read()).done);
      }, new RegExp(`the value was ${fate} meanwhile`));
    }));
}

Deno.test("a download that breaks is tried again for as long as the patience lasts", () =>
  withServerHere(async ({ remote }) => {
    await using writer = await Cache.connect({ remote });
    await writer.set(NS, "large", new Uint8Array(SIZE), { codec: bytes });

    await using proxy = await FaultProxy.start(remote, [CUT]);
    const outages: Outage[] = [];
    await using reader = await Cache.connect({
      remote: proxy.address,
      patienceMs: 0,
      onOutage: (outage) => outages.push(outage),
    });
    const made = await reader.generateDetailed(
      NS,
      "large",
      () => new Uint8Array(1),
      { codec: bytes },
    );
    assert.equal(made.source, "uncached");
    assert.match(outages[0]!.error.message, /cannot read the value/);
    assert.equal(proxy.connections, 1);
  }));

Deno.test("a download that got stuck can be cancelled", () =>
  withServerHere(async ({ remote }) => {
    await using writer = await Cache.connect({ remote });
    await writer.set(NS, "large", new Uint8Array(SIZE), { codec: bytes });

    const whole = 24;
    await using proxy = await FaultProxy.start(remote, {
      toClient: { afterBytes: (whole + 0.5) * PIECE, then: "freeze" },
    });
    await using reader = await Cache.connect({ remote: proxy.address });
    const stream = await reader.getStream(NS, "large");
    const pieces = stream!.getReader();
    for (let read = 0; read < whole; read++) await pieces.read();
    const next = pieces.read();
    // Time enough for it to be waited for.
    await writer.get(NS, "another");
    await pieces.cancel();
    assert.equal((await next).done, true);
  }));
