/** Real clients over TLS, beside those that never finish their handshakes. */

import type { MethodDefinition } from "@grpc/grpc-js";
import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import { connect as connectTcp, type Socket } from "node:net";
import { connect, type ConnectionOptions } from "node:tls";
import { systemClock } from "../../src/clock.ts";
import { CallCounts } from "../../src/grpc/counts.ts";
import { GrpcServer } from "../../src/grpc/server.ts";
import { Connections } from "../../src/http2/connections.ts";
import { DEFAULT_HANDSHAKE_TIMEOUT_MS } from "../../src/http2/limits.ts";
import type { DropReason } from "../../src/http2/shared_limits.ts";
import type { Identity } from "../../src/tls/pem.ts";
import { TlsListener } from "../../src/tls/tls_listener.ts";
import {
  ALICE,
  CA,
  FOREIGN,
  LATE,
  MALLORY,
  type Pair,
  RENEWED,
  SERVER,
} from "../support/certificates.ts";
import { GrpcClient, inBytes } from "../support/grpc_client.ts";
import { until } from "../support/status.ts";
import { within } from "../support/waiting.ts";

const HOST = "127.0.0.1";
const ECHO = {
  path: "/test.Test/Echo",
  requestStream: false,
  responseStream: false,
} as const;
/** The begin of a TLS ClientHello, and nothing after it. */
const HALF_A_HELLO = Uint8Array.of(22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3);
const MUTUAL: Identity = { ...SERVER, ca: CA };

/** A listener over TLS that echoes. */
class Served implements AsyncDisposable {
  readonly drops: DropReason[] = [];
  readonly warnings: string[] = [];
  /** Why clients were not let in, and where they came from. */
  readonly refused: string[] = [];
  readonly certificates: {
    current: Identity;
    readonly onChange: Set<() => void>;
  };
  readonly #connections: Connections;
  readonly #handler: GrpcServer["handleRequest"];
  #listener: TlsListener | undefined;
  #laterMs = 0;

  private constructor(current: Identity, maxConnections: number) {
    this.certificates = { current, onChange: new Set() };
    const warn = (message: string) => void this.warnings.push(message);
    this.#connections = new Connections({
      warn,
      maxConnections,
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
      ...ECHO,
      decode: (bytes) => bytes.slice(),
      encode: (bytes) => [bytes],
    }, (request) => request);
    this.#handler = server.handleRequest;
  }

  static async start(
    identity: Identity = SERVER,
    maxConnections = 3_000,
  ): Promise<Served> {
    const served = new Served(identity, maxConnections);
    served.#listener = await TlsListener.listen({
      on: { hostname: HOST, port: 0 },
      certificates: served.certificates,
      handler: served.#handler,
      connections: served.#connections,
      warn: (message) => served.warnings.push(message),
      onRefused: (reason, client) => served.refused.push(`${reason} ${client}`),
    });
    return served;
  }

  get port(): number {
    return this.#listener!.port;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** So much time passes, as far as connections know. */
  pass(ms: number): void {
    this.#laterMs += ms;
    this.#connections.check();
  }

  /** From now on it says that it is another. */
  become(identity: Identity): void {
    this.certificates.current = identity;
    for (const tell of this.certificates.onChange) tell();
  }

  /** Stops; nothing is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener!.close(1_000);
    assert.equal(this.#connections.size, 0);
    assert.equal(this.#connections.lentBuffers, 0);
    assert.deepEqual(this.warnings, []);
  }
}

/** A client of gRPC over TLS. */
class EchoClient extends GrpcClient {
  constructor(port: number, pair?: Pair) {
    super(`${HOST}:${port}`, { tls: { pair } });
  }

  async call(bytes: Uint8Array): Promise<Uint8Array> {
    const method = inBytes(ECHO as MethodDefinition<object, object>);
    return new Uint8Array(await this.unary<Buffer>(method, bytes));
  }
}

/** Calls over TLS, small and larger than a window, many at once. */
async function callsAreAnswered(port: number, pair?: Pair): Promise<void> {
  using client = new EchoClient(port, pair);
  const sizes = [0, 1, 1_000, 60_000, 500_000];
  await Promise.all(sizes.map(async (size) => {
    const value = new Uint8Array(size).fill(7);
    crypto.getRandomValues(value.subarray(0, 65_536));
    assert.deepEqual(await client.call(value), value);
  }));
}

/** What becomes of a handshake: the protocol, or why there is none. */
function greet(port: number, options: ConnectionOptions = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({
      ...{ host: HOST, port, servername: "localhost", ca: CA },
      ALPNProtocols: ["h2"],
      ...options,
    });
    // In TLS 1.3 a client is done before the server has seen its certificate.
    socket.on("secureConnect", () => setImmediate(() => socket.write("x")));
    socket.on("data", () => socket.destroy());
    socket.on("error", ({ message }) => resolve(`refused: ${message}`));
    socket.on("close", () => resolve(`closed: ${socket.alpnProtocol}`));
  });
}

async function connected(port: number): Promise<Socket> {
  const socket = connectTcp(port, HOST);
  socket.on("error", () => {});
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  return socket;
}

const ended = (socket: Socket) =>
  new Promise<void>((resolve) => {
    socket.resume();
    if (socket.destroyed) resolve();
    else socket.once("close", resolve);
  });

Deno.test("a client over TLS is served beside handshakes that never end, which count and are ended", async () => {
  await using served = await Served.start();
  const { port } = served;
  const silent = await Promise.all(
    Array.from({ length: 20 }, () => connected(port)),
  );
  for (const socket of silent.slice(10)) socket.write(HALF_A_HELLO);
  await callsAreAnswered(port);
  assert.ok(served.connections >= silent.length);
  assert.deepEqual(served.drops, []);
  served.pass(DEFAULT_HANDSHAKE_TIMEOUT_MS);
  const expected = silent.map(() => "handshake");
  assert.deepEqual(served.drops.filter((why) => why !== "linger"), expected);
  // Their sockets are closed, though they still keep them open.
  await within(Promise.all(silent.map(ended)), "the ends of their sockets");
  await callsAreAnswered(port);
  assert.deepEqual(served.refused, []);
});

Deno.test("handshakes that never end take no more places than there are", async () => {
  await using served = await Served.start(SERVER, 4);
  const silent = await Promise.all(
    Array.from({ length: 12 }, () => connected(served.port)),
  );
  // The idlest are told to go, and whoever is above the limit is closed.
  await within(
    Promise.any(silent.map(ended)),
    "the end of one that is above the limit",
  );
  assert.ok(served.connections <= 5, `${served.connections}`);
  served.pass(DEFAULT_HANDSHAKE_TIMEOUT_MS);
  await within(Promise.all(silent.map(ended)), "the ends of their sockets");
  await callsAreAnswered(served.port);
  served.warnings.length = 0;
});

Deno.test("a client that speaks no TLS, or no HTTP/2 over it, disturbs nobody", async () => {
  await using served = await Served.start();
  const { port } = served;
  const plain = await connected(port);
  plain.write("GET / HTTP/1.1\r\n\r\n");
  // At most an alert, and the end.
  await within(ended(plain), "its end");
  const http1 = await greet(port, { ALPNProtocols: ["http/1.1"] });
  assert.match(http1, /^refused/);
  const silent = await within(greet(port, { ALPNProtocols: [] }), "its end");
  assert.match(silent, /^refused|^closed/);
  await callsAreAnswered(port);
});

Deno.test("with a client CA, only whoever shows a certificate of it is served", async () => {
  await using served = await Served.start(MUTUAL);
  const { port } = served;
  await callsAreAnswered(port, ALICE);
  for (
    const [who, pair] of Object.entries({
      nobody: undefined,
      "somebody of a foreign CA": MALLORY,
      "somebody whose certificate has expired": LATE,
    })
  ) {
    using client = new EchoClient(port, pair);
    await assert.rejects(client.call(new Uint8Array(1)), { code: 14 }, who);
  }
  await callsAreAnswered(port, ALICE);
});

Deno.test("it is told why a client was not let in, and of a look at the port it is not", async () => {
  await using served = await Served.start(MUTUAL);
  const { port } = served;
  const ways: [string, () => Promise<unknown>][] = [
    ["no-certificate", () => greet(port)],
    ["certificate", () => greet(port, MALLORY)],
    ["certificate", () => greet(port, LATE)],
    ["client", () => greet(port, { ca: FOREIGN })],
    ["no-http2", () => greet(port, { ...ALICE, ALPNProtocols: ["http/1.1"] })],
    ["plain-text", async () => {
      const plain = await connected(port);
      plain.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
      await ended(plain);
    }],
  ];
  for (const [why, come] of ways) {
    served.refused.length = 0;
    await within(come(), why);
    await until(
      () => Promise.resolve(served.refused),
      (refused) => refused.length > 0,
    );
    assert.deepEqual(served.refused, [`${why} ${HOST}`]);
  }
  served.refused.length = 0;
  const probe = await connected(port);
  probe.end();
  await within(ended(probe), "the end of a probe");
  await callsAreAnswered(port, ALICE);
  assert.deepEqual(served.refused, []);
});

Deno.test("a new certificate and another client CA hold for new connections, and old ones live on", async () => {
  await using served = await Served.start(MUTUAL);
  const { port } = served;
  using old = new EchoClient(port, ALICE);
  const bytes = Uint8Array.of(1, 2, 3);
  assert.deepEqual(await old.call(bytes), bytes);
  served.become({ ...RENEWED, ca: FOREIGN });
  using refused = new EchoClient(port, ALICE);
  await assert.rejects(refused.call(bytes), { code: 14 });
  await callsAreAnswered(port, MALLORY);
  assert.deepEqual(await old.call(bytes), bytes);
  const shown = await new Promise<string>((resolve, reject) => {
    const socket = connect({
      ...{ host: HOST, port, servername: "localhost", ca: CA },
      ...MALLORY,
      ALPNProtocols: ["h2"],
    }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.on("error", reject);
  });
  assert.match(shown, /^[\dA-F]+$/);
});
