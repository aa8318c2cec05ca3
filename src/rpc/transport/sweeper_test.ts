import assert from "node:assert/strict";
import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { Connection, linkStream } from "./connection.ts";
import { type DropReason, resolveOptions } from "./options.ts";
import { Sweeper } from "./sweeper.ts";
import { ECHO_PATH, FRAMED_PATH } from "./testing/echo_service.ts";
import { ChildServer } from "./testing/child_server.ts";
import { soon } from "./testing/soon.ts";
import { startEchoServer } from "./testing/in_process.ts";
import {
  ask,
  body,
  FRAME,
  frame,
  goaway,
  PREFACE,
  RawClient,
  request,
  settings,
  windowUpdate,
} from "./testing/raw_client.ts";

const MIB = 1024 * 1024;
const HUGE_WINDOW_BYTES = 2 ** 31 - 1;
const SWEEP_INTERVAL_MS = 20;

/** Reads until the server closes. */
async function untilClosed(client: RawClient): Promise<void> {
  const read = async () => {
    for await (const _ of client.frames()) { /* nothing to say */ }
  };
  await soon(read(), "the server hangs up");
}

Deno.test("half a preface, or no SETTINGS, is not waited for for ever", async () => {
  const drops: DropReason[] = [];
  using echo = await startEchoServer({
    handshakeTimeoutMs: 100,
    sweepIntervalMs: SWEEP_INTERVAL_MS,
    onDrop: (reason) => drops.push(reason),
  });
  using half = await RawClient.connect(echo.port);
  await half.send(PREFACE.subarray(0, 10));
  using silent = await RawClient.connect(echo.port);
  await silent.send(PREFACE);
  using polite = await RawClient.open(echo.port);
  await untilClosed(half);
  await untilClosed(silent);
  await polite.ping();
  assert.deepEqual(drops, ["handshake", "handshake"]);
});

Deno.test("a connection of which nothing moves is dropped", async () => {
  using echo = await startEchoServer({
    stallTimeoutMs: 200,
    sweepIntervalMs: SWEEP_INTERVAL_MS,
  });
  using client = await RawClient.open(echo.port);
  await client.send(ask(1, FRAMED_PATH, 4 * MIB));
  // Reads all that may come, 64 KiB, and gives no more window.
  await untilClosed(client);
});

Deno.test("a call of which nothing moves ends while others on its connection go on", async () => {
  using echo = await startEchoServer({
    stallTimeoutMs: 300,
    sweepIntervalMs: SWEEP_INTERVAL_MS,
  });
  using client = await RawClient.open(echo.port, 1_000);
  await client.send(ask(1, FRAMED_PATH, MIB));
  const others = async () => {
    for (let id = 3;; id += 2) {
      await client.send(ask(id, ECHO_PATH, id));
      for await (const one of client.frames()) {
        if (one.streamId === 1 && one.type === FRAME.RST_STREAM) return;
        if (one.streamId !== id) continue;
        if (one.type === FRAME.HEADERS && (one.flags & 1) !== 0) break;
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  await soon(others(), "the end of the call of which nothing moves");
  await client.ping();
});

Deno.test("a client that never reads loses its connection", async () => {
  const { promise: dropped, resolve } = Promise.withResolvers<DropReason>();
  using echo = await startEchoServer({
    stallTimeoutMs: 200,
    sweepIntervalMs: SWEEP_INTERVAL_MS,
    onDrop: resolve,
  });
  using client = await RawClient.open(echo.port, HUGE_WINDOW_BYTES);
  await client.send(
    ...[1, 3, 5, 7, 9].map((id) => ask(id, FRAMED_PATH, 16 * MIB)),
  );
  assert.equal(await soon(dropped, "the end of the connection"), "stall");
});

Deno.test("stalled replies get less time while others wait", async () => {
  using echo = await startEchoServer({
    stallTimeoutMs: 1_000_000,
    contendedStallTimeoutMs: 100,
    isContended: () => true,
    sweepIntervalMs: SWEEP_INTERVAL_MS,
  });
  using client = await RawClient.open(echo.port);
  await client.send(ask(1, FRAMED_PATH, 4 * MIB));
  await untilClosed(client);
});

Deno.test("half a request is not waited for for ever", async () => {
  using echo = await startEchoServer({
    idleBodyTimeoutMs: 100,
    sweepIntervalMs: SWEEP_INTERVAL_MS,
  });
  using client = await RawClient.open(echo.port);
  await client.send(request(1, ECHO_PATH));
  const none = await soon(client.stream(1), "the end of a call without body");
  const half = frame(FRAME.DATA, 0, 3, new Uint8Array([0, 0, 0, 0, 9, 1, 2]));
  await client.send(request(3, ECHO_PATH), half);
  const some = await soon(client.stream(3), "the end of a call with half");
  assert.equal(none.at(-1)?.type, FRAME.RST_STREAM);
  assert.equal(some.at(-1)?.type, FRAME.RST_STREAM);
  await client.send(request(5, ECHO_PATH), body(5, new Uint8Array(4)));
  assert.equal((await soon(client.stream(5))).at(-1)?.type, FRAME.HEADERS);
});

Deno.test("a client that stops reading cannot keep the socket of an ended session", async () => {
  await using child = await ChildServer.start({
    options: { lingerTimeoutMs: 100, sweepIntervalMs: SWEEP_INTERVAL_MS },
  });
  using client = await RawClient.open(child.port, HUGE_WINDOW_BYTES);
  await client.send(ask(1, FRAMED_PATH, 64 * MIB));
  while ((await client.next())?.type !== FRAME.DATA) { /* until it flows */ }
  await client.send(goaway(2));
  const lingers = async () => {
    while (!(await child.status()).drops.includes("linger")) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  await soon(lingers(), "the end of the socket");
});

Deno.test("a session ends with its socket, whatever was open on it", async () => {
  using echo = await startEchoServer();
  {
    using client = await RawClient.connect(echo.port);
    await client.send(
      PREFACE,
      settings(0),
      windowUpdate(0, MIB),
      ask(1, FRAMED_PATH, MIB),
      request(3, ECHO_PATH),
    );
    while ((await client.next())?.type !== FRAME.HEADERS) { /* answered */ }
  }
  // Shutdown waits for every session.
  await soon(
    new Promise((resolve) => echo.server.tryShutdown(resolve)),
    "the end of the session",
  );
});

// From here on with made-up time.

class FakeStream {
  destroyed = false;
  closed = false;
  readableEnded = true;
  endAfterHeaders = true;
  writableLength = 0;
  close(): void {
    this.closed = true;
  }
}

function fake() {
  const drops: DropReason[] = [];
  const streams = new Map<number, FakeStream>();
  const socket = { writableLength: 0, destroyed: false, destroy() {} };
  const session = { [Symbol("state")]: { streams } };
  const connection = new Connection(
    session as unknown as ServerHttp2Session,
    { socket: socket as unknown as Socket, handle: undefined },
    1,
  );
  connection.handshaken = true;
  const open = (id: number) => {
    const stream = new FakeStream();
    streams.set(id, stream);
    const link = linkStream(stream as unknown as ServerHttp2Stream, connection);
    return { stream, link };
  };
  const sweeper = new Sweeper(resolveOptions({
    warn: () => {},
    stallTimeoutMs: 20,
    onDrop: (reason) => drops.push(reason),
  }));
  sweeper.add(connection);
  const sweep = (nowMs: number) => sweeper.sweep(nowMs);
  return { connection, socket, drops, open, sweep, stop: () => sweeper.stop() };
}

Deno.test("an idle connection that begins to send is not taken for stuck", () => {
  const { connection, socket, drops, sweep, stop } = fake();
  sweep(10);
  connection.bytesSent = 500;
  socket.writableLength = 500;
  sweep(10_000);
  assert.deepEqual(drops, []);
  sweep(10_020);
  assert.deepEqual(drops, ["stall"]);
  stop();
});

Deno.test("a slow connection that moves keeps calls that wait for its socket", () => {
  const { connection, socket, drops, open, sweep, stop } = fake();
  const { stream } = open(1);
  stream.writableLength = 100;
  socket.writableLength = 50;
  for (let nowMs = 10; nowMs < 200; nowMs += 10) {
    connection.bytesSent += 5;
    connection.blocks++;
    sweep(nowMs);
  }
  assert.deepEqual(drops, []);
  assert.equal(stream.closed, false);
  stop();
});

Deno.test("a call that moves, or has nothing to send, is left alone", () => {
  const { connection, drops, open, sweep, stop } = fake();
  const moving = open(1);
  const idle = open(3);
  const stuck = open(5);
  moving.stream.writableLength = 100;
  stuck.stream.writableLength = 100;
  for (let nowMs = 10; nowMs <= 40; nowMs += 10) {
    connection.bytesSent += 5;
    moving.link.moves++;
    sweep(nowMs);
  }
  assert.equal(moving.stream.closed, false);
  assert.equal(idle.stream.closed, false);
  assert.equal(stuck.stream.closed, true);
  assert.deepEqual(drops, ["stall"]);
  stop();
});
