/** A listener on real sockets. */

import assert from "node:assert/strict";
import { Connections } from "./connections.ts";
import { encodeHeaders } from "./hpack/mod.ts";
import { Http2Listener } from "./listener.ts";
import type { RequestHandler } from "./stream_api.ts";
import {
  PREFACE,
  request,
  settings,
  settingsAck,
} from "./testing/frame_bytes.ts";
import { join } from "./testing/octets.ts";

const HEAD = encodeHeaders([[":status", "200"]]);

function listen(handler: RequestHandler) {
  const warnings: string[] = [];
  const warn = (message: string) => void warnings.push(message);
  const connections = new Connections({ warn });
  const hostname = "127.0.0.1";
  const listener = new Http2Listener({
    ...{ hostname, port: 0, handler, connections, warn },
  });
  const connect = () => Deno.connect({ hostname, port: listener.port });
  return { listener, connections, connect, warnings };
}

async function readAll(conn: Deno.Conn): Promise<Uint8Array> {
  return new Uint8Array(await new Response(conn.readable).arrayBuffer());
}

const answering: RequestHandler = (stream) => ({
  data() {},
  end: () => stream.headers(HEAD, true),
  closed() {},
});

Deno.test("a closing listener lets calls end, and then its connections", async () => {
  const called = Promise.withResolvers<void>();
  const peers: string[] = [];
  const { listener, connections, connect } = listen((stream) => ({
    data() {},
    end() {
      peers.push(stream.connection.peer);
      called.resolve();
      setTimeout(() => stream.headers(HEAD, true), 20);
    },
    closed() {},
  }));
  const conn = await connect();
  const { port } = conn.localAddr as Deno.NetAddr;
  await conn.write(join(PREFACE, settings(), settingsAck(), request(1)));
  await called.promise;
  const closed = listener.close(10_000);
  const answer = await readAll(conn);
  await closed;
  const head = join(Uint8Array.of(1, 5, 0, 0, 0, 1), HEAD);
  const text = (bytes: Uint8Array) => new TextDecoder("latin1").decode(bytes);
  assert.ok(text(answer).includes(text(head)));
  assert.deepEqual(peers, [`127.0.0.1:${port}`]);
  assert.equal(connections.size, 0);
  await assert.rejects(connect());
});

Deno.test("who does not end in time is closed", async () => {
  const called = Promise.withResolvers<void>();
  let closed = 0;
  const { listener, connections, connect } = listen(() => ({
    data() {},
    end: () => called.resolve(),
    closed: () => closed++,
  }));
  const conn = await connect();
  await conn.write(join(PREFACE, settings(), settingsAck(), request(1)));
  await called.promise;
  await listener.close(10);
  assert.equal(closed, 1);
  assert.equal(connections.size, 0);
  await readAll(conn).catch(() => {});
});

Deno.test("whoever points a browser at the port is told, and only that", async () => {
  const { listener, connect } = listen(answering);
  const response = await fetch(`http://127.0.0.1:${listener.port}/`);
  assert.equal(response.status, 400);
  assert.match(await response.text(), /HTTP\/2/);
  const conn = await connect();
  await conn.write(Uint8Array.of(22, 3, 1, 0, 5, 1));
  assert.equal((await readAll(conn)).length, 0);
  await listener.close(10);
});

Deno.test("a client that resets its connection costs nobody anything", async () => {
  const { listener, connections, connect, warnings } = listen(answering);
  for (let at = 0; at < 50; at++) (await connect()).close();
  const conn = await connect();
  await conn.write(join(PREFACE, settings(), settingsAck(), request(1)));
  const first = new Uint8Array(100);
  assert.ok((await conn.read(first))! > 0);
  conn.close();
  await listener.close(1_000);
  assert.equal(connections.size, 0);
  assert.equal(connections.lentBuffers, 0);
  assert.deepEqual(warnings, []);
});
