/** A real client over TLS, beside those that never finish their handshakes. */

import { Client, credentials } from "@grpc/grpc-js";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { AddressInfo } from "node:net";
import { createServer } from "node:tls";
import { guardDeno } from "../../src/client/deno_guard.ts";
import { systemClock } from "../../src/clock.ts";
import { CallCounts } from "../../src/grpc/counts.ts";
import { GrpcServer } from "../../src/grpc/server.ts";
import { Connections } from "../../src/http2/connections.ts";
import { DEFAULT_HANDSHAKE_TIMEOUT_MS } from "../../src/http2/limits.ts";
import { Http2Listener } from "../../src/http2/listener.ts";
import type { DropReason } from "../../src/http2/shared_limits.ts";
import { within } from "../support/waiting.ts";
import { CERTIFICATE, KEY } from "./certificate.ts";
import { NodeStream } from "./node_stream.ts";

guardDeno();

const HOST = "127.0.0.1";
const ECHO = "/test.Test/Echo";
/** The begin of a TLS ClientHello, and nothing after it. */
const HALF_A_HELLO = Uint8Array.of(22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3);

/** What serves, without an address. */
class Served {
  readonly drops: DropReason[] = [];
  readonly warnings: string[] = [];
  readonly connections: Connections;
  readonly handler: GrpcServer["handleRequest"];
  #laterMs = 0;

  constructor() {
    const warn = (message: string) => void this.warnings.push(message);
    this.connections = new Connections({
      warn,
      onDrop: (reason) => this.drops.push(reason),
      nowMs: () => performance.now() + this.#laterMs,
    });
    const server = new GrpcServer({
      clock: systemClock,
      maxMessageBytes: 2 ** 20,
      log: warn,
      counts: new CallCounts(),
    });
    server.unary<Uint8Array, Uint8Array>({
      path: ECHO,
      requestStream: false,
      responseStream: false,
      decode: (bytes) => bytes.slice(),
      encode: (bytes) => [bytes],
    }, (request) => request);
    this.handler = server.handleRequest;
  }

  /** Serves over TLS, by Deno. */
  listen(): Http2Listener {
    const { connections, handler } = this;
    return new Http2Listener({
      hostname: HOST,
      port: 0,
      tls: { cert: CERTIFICATE, key: KEY },
      handler,
      connections,
      warn: (message) => this.warnings.push(message),
    });
  }

  /** So much time passes, as far as connections know. */
  pass(ms: number): void {
    this.#laterMs += ms;
    this.connections.check();
  }
}

/** Calls over TLS, small and larger than a window, many at once. */
async function callsAreAnswered(port: number): Promise<void> {
  const client = new Client(
    `${HOST}:${port}`,
    credentials.createSsl(Buffer.from(CERTIFICATE)),
    {
      "grpc.use_local_subchannel_pool": 1,
      // TLS names no numbers.
      "grpc.ssl_target_name_override": "localhost",
    },
  );
  const pack = (bytes: Uint8Array) => Buffer.from(bytes);
  const unpack = (bytes: Buffer) => new Uint8Array(bytes);
  const call = (bytes: Uint8Array) =>
    new Promise<Uint8Array>((resolve, reject) => {
      const deadline = Date.now() + 30_000;
      client.makeUnaryRequest(ECHO, pack, unpack, bytes, { deadline }, (
        error,
        reply,
      ) => error ? reject(error) : resolve(reply!));
    });
  try {
    const sizes = [0, 1, 1_000, 60_000, 500_000];
    await Promise.all(sizes.map(async (size) => {
      const bytes = crypto.getRandomValues(
        new Uint8Array(Math.min(size, 65_536)),
      );
      const value = new Uint8Array(size).fill(7);
      value.set(bytes);
      assert.deepEqual(await call(value), value);
    }));
  } finally {
    client.close();
  }
}

Deno.test("a client over TLS is served beside handshakes that never end", async () => {
  const served = new Served();
  const { connections } = served;
  const listener = served.listen();
  const { port } = listener;
  const silent = await Promise.all(
    Array.from({ length: 20 }, () => Deno.connect({ hostname: HOST, port })),
  );
  for (const conn of silent.slice(10)) await conn.write(HALF_A_HELLO);
  await callsAreAnswered(port);
  assert.deepEqual(served.drops, []);
  served.pass(DEFAULT_HANDSHAKE_TIMEOUT_MS);
  const expected = silent.map(() => "handshake");
  assert.deepEqual(served.drops.filter((why) => why !== "linger"), expected);
  // Deno 2.9.6 keeps a socket that is closed within its handshake until the client
  // closes it, too.
  for (const conn of silent) conn.close();
  await listener.close(1_000);
  assert.equal(connections.size, 0);
  assert.equal(connections.lentBuffers, 0);
  assert.deepEqual(served.warnings, []);
});

Deno.test("a client that speaks no TLS, or another protocol over it, disturbs nobody", async () => {
  const served = new Served();
  const { connections } = served;
  const listener = served.listen();
  const { port } = listener;
  const plain = await Deno.connect({ hostname: HOST, port });
  await plain.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  // At most an alert, and the end.
  await within(new Response(plain.readable).bytes().catch(() => {}), "its end");
  const http1 = Deno.connectTls({
    hostname: "localhost",
    port,
    caCerts: [CERTIFICATE],
    alpnProtocols: ["http/1.1"],
  }).then((conn) => conn.handshake().finally(() => conn.close()));
  await assert.rejects(within(http1, "the end of the handshake"));
  await callsAreAnswered(port);
  await listener.close(1_000);
  assert.equal(connections.size, 0);
  assert.deepEqual(served.warnings, []);
});

Deno.test("what stands on node:tls is served like any other stream of bytes", async () => {
  const { connections, handler, warnings } = new Served();
  const ended: Promise<void>[] = [];
  const options = { cert: CERTIFICATE, key: KEY, ALPNProtocols: ["h2"] };
  const server = createServer(options, (socket) => {
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    ended.push(connections.serve(new NodeStream(socket), peer, handler).ended);
  });
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const { port } = server.address() as AddressInfo;
  const silent = await Deno.connect({ hostname: HOST, port });
  await callsAreAnswered(port);
  silent.close();
  await within(Promise.all(ended), "the end of the client's connection");
  assert.equal(ended.length, 1);
  assert.equal(connections.size, 0);
  assert.equal(connections.lentBuffers, 0);
  assert.deepEqual(warnings, []);
  await new Promise((resolve) => server.close(resolve));
});
