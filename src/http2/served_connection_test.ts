/** One connection on a byte stream: reads, writes, and how both end. */

import assert from "node:assert/strict";
import { ErrorCode } from "./error_codes.ts";
import { encodeHeaders } from "./hpack/mod.ts";
import { FRAMES_PER_TURN, MAX_LARGE_BUFFERS } from "./limits.ts";
import {
  data,
  frame,
  headers,
  lastData,
  ping,
  PREFACE,
  request,
  reset,
  settings,
  windowUpdate,
} from "./testing/frame_bytes.ts";
import { join } from "./testing/octets.ts";
import { turns } from "./testing/pipe.ts";
import { ServedPipes } from "./testing/served_pipe.ts";
import { ServerTester } from "./testing/server_tester.ts";

const HEAD = encodeHeaders([[":status", "200"]]);
const TRAILERS = encodeHeaders([["grpc-status", "0"]]);
const body = (bytes: number) => [new Uint8Array(bytes)];

Deno.test("what one read brings is answered in one write", async () => {
  const served = new ServedPipes();
  const { pipe, received } = await served.ready((stream) => ({
    data() {},
    end: () => stream.respond(HEAD, body(5), TRAILERS),
    closed() {},
  }));
  pipe.hold();
  pipe.send(request(1), request(3), ping());
  await turns();
  pipe.take(Infinity);
  assert.deepEqual(await received(), [
    "PING ACK",
    ...["HEADERS 1 :status=200", "DATA 1 5"],
    "HEADERS 1 grpc-status=0 END_STREAM",
    ...["HEADERS 3 :status=200", "DATA 3 5"],
    "HEADERS 3 grpc-status=0 END_STREAM",
  ]);
  pipe.release();
  await served.end();
});

Deno.test("replies of one turn leave together in the next", async () => {
  const served = new ServedPipes();
  const { pipe, received } = await served.ready();
  pipe.send(request(1), request(3));
  await turns();
  pipe.hold();
  for (const id of [1, 3]) served.streams.get(id)!.headers(HEAD, true);
  await turns();
  pipe.take(Infinity);
  assert.equal((await received()).length, 2);
  pipe.release();
  await served.end();
});

Deno.test("an answer to PING leaves with the reply of a call that is worked on", async () => {
  const served = new ServedPipes();
  const { pipe, received } = await served.ready();
  pipe.send(request(1), ping());
  assert.deepEqual(await received(), []);
  served.streams.get(1)!.headers(HEAD, true);
  assert.deepEqual(await received(), [
    "PING ACK",
    "HEADERS 1 :status=200 END_STREAM",
  ]);
  await served.end();
});

Deno.test("an answer to PING leaves soon where no reply does", async () => {
  const served = new ServedPipes();
  const clients = [await served.ready(), await served.ready()];
  for (const { pipe, received } of clients) {
    pipe.send(request(1));
    for (let times = 0; times < 2; times++) {
      const written = pipe.nextWrite();
      pipe.send(ping(), ping());
      await written;
      assert.deepEqual(await received(), ["PING ACK", "PING ACK"]);
    }
  }
  await served.end();
});

Deno.test("an answer to PING waits for no reply with what is urgent, or where none comes", async () => {
  const served = new ServedPipes();
  const { pipe, received } = await served.ready();
  pipe.send(ping());
  assert.deepEqual(await received(), ["PING ACK"]);
  pipe.send(request(1), ping(), settings());
  assert.deepEqual(await received(), ["PING ACK", "SETTINGS ACK"]);
  // A connection that ends leaves no timer.
  pipe.send(ping());
  await turns();
  await served.end();
});

Deno.test("a stream that gets more to send while its window is closed stops nobody", async () => {
  const served = new ServedPipes();
  const { pipe, received } = await served.ready();
  pipe.send(settings([4, 0]), request(1));
  await received();
  const stream = served.streams.get(1)!;
  stream.headers(HEAD);
  await received();
  for (let times = 0; times < 2; times++) {
    stream.data(body(5));
    assert.deepEqual(await received(), []);
  }
  pipe.send(ping());
  assert.deepEqual(await received(), ["PING ACK"]);
  pipe.send(windowUpdate(1, 10));
  assert.deepEqual(await received(), ["DATA 1 10"]);
  await served.end();
});

Deno.test("reading goes on while nobody reads what is written", async () => {
  const served = new ServedPipes();
  const { pipe, received } = await served.ready();
  pipe.hold();
  pipe.send(request(1));
  await turns();
  served.streams.get(1)!.headers(HEAD);
  await turns();
  pipe.send(headers(3), data(3, 100));
  await turns();
  assert.deepEqual(served.calls, ["end 1", "data 3 100"]);
  // It is written; what was not given to write yet is withdrawn.
  served.streams.get(3)!.headers(HEAD);
  pipe.send(reset(3, ErrorCode.CANCEL));
  await turns();
  assert.equal(served.calls.at(-1), "closed 3 false");
  pipe.release();
  assert.deepEqual(await received(), ["HEADERS 1 :status=200"]);
  await served.end();
});

Deno.test("a write that takes a part goes on with the rest", async () => {
  const served = new ServedPipes();
  const { pipe, received } = await served.ready();
  pipe.send(request(1));
  await turns();
  pipe.hold();
  served.streams.get(1)!.respond(HEAD, body(30_000), TRAILERS);
  for (let at = 0; at < 7; at++) {
    await turns();
    pipe.take(5_000);
  }
  pipe.release();
  assert.equal((await received()).length, 4);
  await served.end();
});

Deno.test("large header blocks leave when the large buffers are out", async () => {
  const served = new ServedPipes();
  const waiting = [];
  for (let at = 0; at <= MAX_LARGE_BUFFERS; at++) {
    const client = await served.ready((stream) => ({
      data() {},
      end: () => stream.respond(HEAD, body(10_000), TRAILERS),
      closed() {},
    }));
    client.pipe.hold();
    client.pipe.send(request(1));
    waiting.push(client);
  }
  await turns();
  const last = await served.ready();
  last.pipe.send(request(1));
  await turns();
  const large = encodeHeaders([[":status", "200"], ["x", "v".repeat(15_000)]]);
  served.streams.get(1)!.headers(large, true);
  assert.equal((await last.received()).length, 1);
  for (const { pipe } of waiting) pipe.release();
  await served.end();
});

Deno.test("bodies are handed on whole, however the reads cut them", async () => {
  for (const readBytes of [1, 7, 2_048, Infinity]) {
    const served = new ServedPipes();
    const parts: Uint8Array[] = [];
    const { pipe } = await served.ready(() => ({
      data: (bytes) => parts.push(bytes.slice()),
      end() {},
      closed() {},
    }));
    pipe.readBytes = readBytes;
    const content = Uint8Array.from({ length: 3_000 }, (_, at) => at * 7);
    pipe.send(headers(1), data(1, content.subarray(0, 2_000)));
    pipe.send(data(1, content.subarray(2_000)), lastData(1));
    for (let at = 0; at < 300; at++) await turns();
    const whole = parts.flatMap((part) => [...part]);
    assert.deepEqual(Uint8Array.from(whole), content);
    await served.end();
  }
});

Deno.test("a client of HTTP/1 gets one plain answer, and nothing before it", async () => {
  const served = new ServedPipes();
  const { pipe, ended } = served.open();
  await turns();
  pipe.send(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  const answer = new TextDecoder().decode(await pipe.written());
  assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n.*HTTP\/2 only\.\n$/s);
  assert.equal(pipe.isWriteClosed, true);
  pipe.end();
  await ended;
  await served.end();
});

Deno.test("a TLS hello, and garbage, are closed", async () => {
  const served = new ServedPipes();
  const tls = served.open();
  tls.pipe.send(Uint8Array.of(22, 3, 1, 0, 200, 1));
  assert.equal((await tls.pipe.written()).length, 0);
  assert.equal(tls.pipe.isWriteClosed, true);
  const garbage = served.open();
  garbage.pipe.send(Uint8Array.of(0, 1, 2, 3));
  const lines = await garbage.received();
  assert.equal(lines.at(-1), "GOAWAY 0 PROTOCOL_ERROR");
  await served.end();
});

Deno.test("the last words are read: the end of writing first, then the client's own", async () => {
  const served = new ServedPipes();
  const { pipe, received, ended } = await served.ready();
  pipe.send(request(2));
  assert.deepEqual(await received(), ["GOAWAY 0 PROTOCOL_ERROR"]);
  assert.deepEqual([pipe.isWriteClosed, pipe.isClosed], [true, false]);
  pipe.send(new Uint8Array(60_000));
  await turns();
  assert.equal(pipe.isClosed, false);
  pipe.end();
  await ended;
  assert.equal(pipe.isClosed, true);
  assert.deepEqual(served.drops, []);
  await served.end();
});

Deno.test("who goes on after the end is read for 64 KiB, and for 3 s", async () => {
  const served = new ServedPipes();
  const [much, slow] = [await served.ready(), await served.ready()];
  for (const { pipe } of [much, slow]) pipe.send(request(2));
  await turns();
  much.pipe.send(new Uint8Array(70_000));
  await much.ended;
  served.pass(2_000);
  assert.equal(slow.pipe.isClosed, false);
  served.pass(1_000);
  await slow.ended;
  assert.deepEqual(served.drops, ["linger"]);
  await served.end();
});

Deno.test("who does not read the last words loses the connection in 3 s", async () => {
  const served = new ServedPipes();
  const { pipe, ended } = await served.ready();
  pipe.hold();
  pipe.send(request(2));
  await turns();
  pipe.end();
  await turns();
  served.pass(3_000);
  await ended;
  await served.end();
});

Deno.test("a lost connection ends its calls, whichever side notices first", async () => {
  for (const how of ["end", "break", "close"] as const) {
    const served = new ServedPipes();
    const { pipe, connection, ended } = await served.ready();
    pipe.send(request(1), headers(3));
    await turns();
    pipe.hold();
    served.streams.get(1)!.respond(HEAD, body(100_000), TRAILERS);
    await turns();
    if (how === "close") connection.close();
    else pipe[how]();
    await ended;
    assert.deepEqual(served.calls.slice(1).sort(), [
      "closed 1 false",
      "closed 3 false",
    ]);
    // Nothing does anything any more.
    served.streams.get(1)!.reset(ErrorCode.CANCEL);
    served.streams.get(3)!.headers(HEAD);
    connection.close();
    await served.end();
  }
});

Deno.test("who fills the first read buffer gets a large one, and gives it back", async () => {
  const served = new ServedPipes();
  const { pipe } = await served.ready();
  pipe.send(headers(1), data(1, 10_000));
  await turns();
  assert.equal(served.connections.lentBuffers, 1);
  for (let at = 0; at < 20; at++) {
    pipe.send(ping());
    await turns();
  }
  assert.equal(served.connections.lentBuffers, 0);
  await served.end();
});

Deno.test("a turn takes a bounded number of frames", () => {
  const { connection } = ServerTester.ready();
  const one = ping();
  const bytes = join(...Array(2 * FRAMES_PER_TURN).fill(one));
  assert.equal(connection.receive(bytes), FRAMES_PER_TURN * one.length);
});

Deno.test("more frames than a turn takes are taken in the next ones", async () => {
  const served = new ServedPipes();
  const { pipe, received } = await served.ready();
  const ids = Array.from({ length: 500 }, (_, at) => 2 * at + 1);
  const unknown = frame(0xbe, 0, 0);
  pipe.send(PREFACE.subarray(0, 0), ...ids.map(() => unknown), ping());
  assert.deepEqual(await received(), ["PING ACK"]);
  await served.end();
});

Deno.test("what is thrown above ends one connection, and others live on", async () => {
  const served = new ServedPipes();
  const broken = await served.ready(() => {
    throw new Error("a bug");
  });
  const other = await served.ready();
  broken.pipe.send(request(1));
  assert.deepEqual(await broken.received(), ["GOAWAY 1 INTERNAL_ERROR"]);
  assert.equal(served.warnings.length, 1);
  other.pipe.send(ping());
  assert.deepEqual(await other.received(), ["PING ACK"]);
  await served.end();
});
