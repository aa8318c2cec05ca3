/** The fault proxy does to bytes what it is told to, and nothing else. */

import assert from "node:assert/strict";
import { Flag } from "../../src/http2/frames.ts";
import {
  data,
  headers,
  PREFACE,
  reset,
} from "../../src/http2/testing/frame_bytes.ts";
import { bytes, join } from "../../src/http2/testing/octets.ts";
import { FaultProxy } from "./fault_proxy.ts";
import type { ConnectionFaults } from "./fault_proxy.ts";
import { LateResets } from "./late_resets.ts";

/** Runs with a connection through a proxy to a server that says what it hears. */
async function withEcho(
  faults: ConnectionFaults,
  run: (connection: Deno.TcpConn, proxy: FaultProxy) => Promise<void>,
): Promise<void> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const served = (async () => {
    const server = await listener.accept();
    await server.readable.pipeTo(server.writable).catch(() => {});
  })();
  {
    await using proxy = await FaultProxy.start(
      `127.0.0.1:${listener.addr.port}`,
      faults,
    );
    const port = Number(proxy.address.split(":")[1]);
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await run(connection, proxy);
  }
  await served;
}

/** What comes until the end. */
async function heard(connection: Deno.TcpConn): Promise<number> {
  const buffer = new Uint8Array(64 * 1024);
  let count = 0;
  for (;;) {
    const read = await connection.read(buffer);
    if (read === null) return count;
    count += read;
  }
}

Deno.test("without faults, a proxy passes everything on, and the ends", () =>
  withEcho({}, async (connection) => {
    const sent = new Uint8Array(300_000);
    const hearing = heard(connection);
    for (let at = 0; at < sent.length;) {
      at += await connection.write(sent.subarray(at));
    }
    await connection.closeWrite();
    assert.equal(await hearing, sent.length);
  }));

Deno.test("delays and throttles take their time, each way", () =>
  withEcho(
    { toServer: { delayMs: 60 }, toClient: { bytesPerSecond: 10_000 } },
    async (connection) => {
      const beganMs = performance.now();
      await connection.write(new Uint8Array(1_000));
      await connection.closeWrite();
      assert.equal(await heard(connection), 1_000);
      const tookMs = performance.now() - beganMs;
      assert(tookMs > 150, `${tookMs} ms`);
    },
  ));

for (const then of ["close", "reset", "end"] as const) {
  Deno.test(`after so many bytes, ${then}`, () =>
    withEcho({ toClient: { afterBytes: 7, then } }, async (connection) => {
      await connection.write(new Uint8Array(10));
      const hearing = heard(connection);
      if (then !== "reset") return assert.equal(await hearing, 7);
      await assert.rejects(hearing, Deno.errors.ConnectionReset);
    }));
}

Deno.test("what is frozen comes when it is thawed", () =>
  withEcho({}, async (connection, proxy) => {
    await connection.write(Uint8Array.of(1));
    const byte = new Uint8Array(1);
    assert.equal(await connection.read(byte), 1);
    proxy.freeze("toClient");
    const reading = connection.read(byte);
    await connection.write(Uint8Array.of(2));
    const late = await Promise.race([
      reading,
      new Promise((resolve) => setTimeout(resolve, 50, "late")),
    ]);
    assert.equal(late, "late");
    proxy.thaw();
    assert.equal(await reading, 1);
    assert.equal(byte[0], 2);
  }));

Deno.test("only the reset of a stream that was ended is late, however it is cut", () => {
  const path = [[":path", "/"]] as const;
  const before = join(
    PREFACE,
    headers(1, path),
    headers(3, path),
    reset(3),
    data(1, bytes("value"), Flag.END_STREAM),
  );
  const after = join(reset(1), headers(5, path));
  const all = join(before, after);
  for (const size of [1, 8, 9, 10, all.length]) {
    const resets = new LateResets();
    const parts: { bytes: Uint8Array; isLate: boolean }[] = [];
    for (let at = 0; at < all.length; at += size) {
      parts.push(...resets.split(all.subarray(at, at + size)));
    }
    assert.deepEqual(join(...parts.map(({ bytes }) => bytes)), all);
    const late = parts.findIndex(({ isLate }) => isLate);
    const early = parts.slice(0, late).map(({ bytes }) => bytes);
    assert.deepEqual(join(...early), before);
    assert.equal(parts.filter(({ isLate }) => isLate).length, 1);
  }
});
