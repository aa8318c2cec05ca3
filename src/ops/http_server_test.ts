/** Clients by HTTP hold neither memory nor connections for long. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { StartError } from "../errors.ts";
import { Exposition } from "./exposition.ts";
import { type HttpLimits, type HttpOptions, serveHttp } from "./http_server.ts";

const LIMITS = {
  maxConnections: 4,
  maxHeadBytes: 8_192,
  headMs: 300,
  idleMs: 300,
  stallMs: 300,
};
const PIECE = "x".repeat(65_536);

/** How a server listens: by itself, or on a socket that listens already. */
type Listening = "an address" | "a socket that was handed on";

async function placeOf(on: Listening): Promise<HttpOptions["address"]> {
  if (on === "an address") return { host: "127.0.0.1", port: 0 };
  const listening = createServer({ pauseOnConnect: true });
  listening.listen(0, "127.0.0.1");
  await once(listening, "listening");
  const { port } = listening.address() as AddressInfo;
  return {
    name: `127.0.0.1:${port}`,
    taken: {
      serve({ take, maxConnections }) {
        listening.maxConnections = maxConnections;
        listening.on("connection", take);
      },
      close: () => void listening.close(),
    },
  };
}

/** A server whose live stream is as fast as its reader, and what it has made. */
async function served(
  limits: Partial<HttpLimits> = {},
  on: Listening = "an address",
) {
  const said: string[] = [];
  const stream = { pieces: 0, ended: Promise.withResolvers<void>() };
  async function* pieces(): AsyncGenerator<string, undefined> {
    try {
      for (;;) {
        stream.pieces++;
        yield PIECE;
      }
    } finally {
      stream.ended.resolve();
    }
  }
  const server = await serveHttp({
    address: await placeOf(on),
    hosts: [],
    phase: () => "ready",
    hasPage: true,
    metrics: new Exposition([], () => Promise.reject(new Error("no disk"))),
    live: { open: pieces },
    warn: (line) => void said.push(line),
  }, { ...LIMITS, ...limits });
  const [hostname = "", port = ""] = server.address.split(":");
  return {
    said,
    stream,
    url: `http://${server.address}`,
    /** A connection, with what was written to it. */
    async connect(text = ""): Promise<Deno.TcpConn> {
      const connection = await Deno.connect({ hostname, port: Number(port) });
      await connection.write(new TextEncoder().encode(text));
      return connection;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** All that comes until the other side closes. */
async function untilClosed(connection: Deno.TcpConn): Promise<string> {
  try {
    return await new Response(connection.readable).text();
  } catch {
    return "reset";
  }
}

for (const on of ["an address", "a socket that was handed on"] as const) {
  Deno.test(`who says nothing, half a head, or too much of it is let go: on ${on}`, async () => {
    await using server = await served({}, on);
    const silent = await server.connect();
    const half = await server.connect("GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n");
    const long = await server.connect(`GET / HTTP/1.1\r\nx: ${PIECE}\r\n\r\n`);
    const garbage = await server.connect("\x16\x03\x01 no HTTP\r\n\r\n");
    const texts = await Promise.all(
      [silent, half, long, garbage].map(untilClosed),
    );
    for (const text of texts) assert.doesNotMatch(text, /200/);
    // As gRPC begins.
    const grpc = await server.connect("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert.match(await untilClosed(grpc), /^HTTP\/1\.1 400 /);
    const response = await fetch(`${server.url}/healthz`);
    assert.equal(await response.text(), "alive\n");
  });

  Deno.test(`a head that comes a byte at a time is not waited for: on ${on}`, async () => {
    await using server = await served({ stallMs: 3_600_000 }, on);
    const slow = await server.connect("GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n");
    const closed = untilClosed(slow);
    let isOpen = true;
    void closed.then(() => isOpen = false);
    while (isOpen) {
      await slow.write(new TextEncoder().encode("x")).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.doesNotMatch(await closed, /200/);
  });

  Deno.test(`a connection that asks nothing more is closed: on ${on}`, async () => {
    await using server = await served({}, on);
    const idle = await server.connect(
      "GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n",
    );
    assert.match(await untilClosed(idle), /alive/);
  });

  Deno.test(`who does not read gets no more made, and is let go: on ${on}`, async () => {
    await using server = await served({}, on);
    const { stream } = server;
    const stuck = await server.connect(
      "GET /live HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n",
    );
    await stream.ended.promise;
    // What the sockets of the system hold; a reader would have made thousands.
    assert.ok(stream.pieces < 300, `${stream.pieces}`);
    stuck.close();
  });

  Deno.test(`more connections than may are closed, and others go on: on ${on}`, async () => {
    await using server = await served({}, on);
    const ask = "GET /live HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";
    const open: Deno.TcpConn[] = [];
    for (let at = 0; at < LIMITS.maxConnections; at++) {
      const connection = await server.connect(ask);
      // It is taken when it answers.
      await connection.read(new Uint8Array(64));
      open.push(connection);
    }
    assert.match(await untilClosed(await server.connect(ask)), /^(reset)?$/);
    for (const connection of open) connection.close();
  });

  Deno.test(`a stop waits for nobody who reads at leisure: on ${on}`, async () => {
    const server = await served({ stallMs: 3_600_000 }, on);
    const response = await fetch(`${server.url}/live`);
    const reader = response.body!.getReader();
    await reader.read();
    await server[Symbol.asyncDispose]();
    await server.stream.ended.promise;
    await reader.cancel().catch(() => {});
  });
}

Deno.test("a request that fails says so in the log, and not why to the client", async () => {
  await using server = await served();
  const response = await fetch(`${server.url}/metrics`);
  assert.equal(response.status, 500);
  assert.doesNotMatch(await response.text(), /no disk/);
  assert.deepEqual(server.said, ["a request by HTTP failed: no disk"]);
});

Deno.test("a body that is sent along is not read, and ends the connection", async () => {
  await using server = await served();
  const response = await fetch(`${server.url}/healthz`, {
    method: "POST",
    body: "x".repeat(1_000),
  });
  assert.equal(response.status, 405);
  assert.equal(response.headers.get("connection"), "close");
  await response.body?.cancel();
});

Deno.test("a port that is taken is said with what to do", async () => {
  await using server = await served();
  const port = Number(new URL(server.url).port);
  await assert.rejects(
    serveHttp({
      address: { host: "127.0.0.1", port },
      hosts: [],
      phase: () => "ready",
      hasPage: true,
      metrics: new Exposition([]),
      live: { open: () => undefined },
      warn: () => {},
    }),
    (error) =>
      error instanceof StartError &&
      /choose another address with --http/.test(error.message),
  );
});
