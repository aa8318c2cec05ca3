import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import { Connection } from "./connection.ts";
import { DrainLoop } from "./drain_loop.ts";
import type { SessionHandle } from "./internals.ts";
import { ChildServer } from "./testing/child_server.ts";
import {
  askFor,
  connectTo,
  ECHO_PATH,
  FRAMED_PATH,
} from "./testing/echo_service.ts";
import { soon } from "./testing/soon.ts";
import { startEchoServer } from "./testing/in_process.ts";
import { ask, FRAME, goaway, join, RawClient } from "./testing/raw_client.ts";

const MIB = 1024 * 1024;
const HUGE_WINDOW_BYTES = 2 ** 31 - 1;

Deno.test("clients that announce huge windows and never read cost little memory", async () => {
  await using child = await ChildServer.start();
  const honest = connectTo(child.port);
  await askFor(honest, FRAMED_PATH, 8 * MIB);
  const { rssBytes } = await child.status();

  using stack = new DisposableStack();
  for (let i = 0; i < 8; i++) {
    const client = stack.use(
      await RawClient.open(child.port, HUGE_WINDOW_BYTES),
    );
    // 8 times 8 MiB each: half a gigabyte together.
    const calls = [1, 3, 5, 7, 9, 11, 13, 15];
    await client.send(
      join(...calls.map((id) => ask(id, FRAMED_PATH, 8 * MIB))),
    );
  }
  await child.served(65);
  // Turns of the event loop, in which a server without backpressure writes on.
  for (let i = 0; i < 20; i++) await askFor(honest, ECHO_PATH, i);
  const grown = (await child.status()).rssBytes - rssBytes;
  honest.close();
  assert.ok(grown < 150 * MIB, `grew by ${grown / MIB} MiB`);
});

Deno.test("a client that pauses and goes on gets every byte", async () => {
  using echo = await startEchoServer();
  using client = await RawClient.open(echo.port, HUGE_WINDOW_BYTES);
  await client.send(ask(1, FRAMED_PATH, 4 * MIB));
  using other = await RawClient.open(echo.port);
  for (let i = 0; i < 20; i++) await other.ping();
  const received = await soon(client.stream(1));
  const bytes = received.filter((one) => one.type === FRAME.DATA)
    .reduce((sum, one) => sum + one.payload.byteLength, 0);
  assert.equal(bytes, 4 * MIB + 5);
});

Deno.test("a reply, its trailers and the server's GOAWAY reach a client that said GOAWAY", async () => {
  await using child = await ChildServer.start();
  for (let i = 0; i < 20; i++) {
    using client = await RawClient.open(child.port);
    await client.send(ask(1, ECHO_PATH, i), goaway());
    const types: string[] = [];
    for await (const { type, streamId } of client.frames()) {
      if (streamId === 1 || type === FRAME.GOAWAY) types.push(`${type}`);
    }
    const { HEADERS, DATA, GOAWAY } = FRAME;
    assert.deepEqual(
      types.toSorted(),
      [DATA, HEADERS, HEADERS, GOAWAY].map(String).toSorted(),
    );
  }
});

Deno.test("a shutdown says GOAWAY to idle clients before it closes", async () => {
  using echo = await startEchoServer();
  const down = Promise.withResolvers<unknown>();
  const types: number[] = [];
  {
    using client = await RawClient.open(echo.port);
    await client.ping();
    echo.server.tryShutdown(down.resolve);
    for await (const { type } of client.frames()) types.push(type);
  }
  assert.ok(types.includes(FRAME.GOAWAY));
  await soon(down.promise);
});

/** A socket whose client takes everything at once. */
class FastSocket extends EventEmitter {
  destroyed = false;
  writableLength = 0;
  writableNeedDrain = false;
  cork(): void {}
  uncork(): void {
    if (!this.writableNeedDrain) return;
    queueMicrotask(() => {
      this.writableLength = 0;
      this.writableNeedDrain = false;
      this.emit("drain");
    });
  }
  write(chunk: Uint8Array): boolean {
    this.writableLength += chunk.byteLength;
    this.writableNeedDrain = true;
    return false;
  }
}

Deno.test("a client that reads as fast as we write leaves turns to the others", async () => {
  const frame = new Uint8Array(16 * 1024);
  const [highWaterFrames, allFrames] = [4, 64];
  let taken = 0;
  // Below it is the native method, as Deno has it.
  const handle = Object.create({ sendPending() {} }) as SessionHandle;
  handle.sendPending = () => {};
  handle.getOutgoingChunk = () =>
    taken < allFrames ? (taken++, frame) : undefined;
  handle.hasPendingData = () => true;
  const socket = new FastSocket() as unknown as Socket;
  const session = {} as ServerHttp2Session;
  const connection = new Connection(session, { socket, handle }, 0);
  const loop = DrainLoop.install(connection, highWaterFrames * frame.length);

  loop!.schedule();
  let turns = 0;
  for (let before = 0; taken < allFrames; before = taken) {
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(taken - before <= highWaterFrames, `${taken - before} in a turn`);
    turns++;
  }
  assert.ok(turns >= allFrames / highWaterFrames);
});
