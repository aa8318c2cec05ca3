/** The limits of time, on a clock of the tests. */

import assert from "node:assert/strict";
import { encodeHeaders } from "./hpack/mod.ts";
import {
  data,
  headers,
  lastData,
  ping,
  PREFACE,
  request,
  settings,
  windowUpdate,
} from "./testing/frame_bytes.ts";
import { turns } from "./testing/pipe.ts";
import { ServedPipes } from "./testing/served_pipe.ts";

const HEAD = encodeHeaders([[":status", "200"]]);
const TRAILERS = encodeHeaders([["grpc-status", "0"]]);
const body = (bytes: number) => [new Uint8Array(bytes)];

Deno.test("the client's SETTINGS, and their acknowledgement, have their time each", async () => {
  const served = new ServedPipes({ handshakeTimeoutMs: 15_000 });
  const [silent, late] = [served.open(), served.open()];
  served.pass(14_000);
  late.pipe.send(PREFACE, settings());
  await turns();
  served.pass(1_000);
  await silent.ended;
  assert.deepEqual([late.pipe.isClosed, served.drops], [false, ["handshake"]]);
  served.pass(9_000);
  await late.ended;
  assert.deepEqual(served.drops, ["handshake", "handshake"]);
  await served.end();
});

Deno.test("a PING asks only those of whom nothing was read", async () => {
  const served = new ServedPipes({ keepaliveMs: 60_000 });
  const [quiet, busy] = [await served.ready(), await served.ready()];
  for (let at = 0; at < 3; at++) {
    served.pass(30_000);
    busy.pipe.send(ping());
    await turns();
  }
  assert.deepEqual(await busy.received(), Array(3).fill("PING ACK"));
  assert.deepEqual(await quiet.received(), ["PING"]);
  assert.deepEqual(served.drops, ["keepalive"]);
  await served.end();
});

Deno.test("any byte is an answer to our PING", async () => {
  const served = new ServedPipes();
  const { pipe, received } = await served.ready();
  for (let at = 0; at < 5; at++) {
    served.pass(60_000);
    assert.deepEqual(await received(), ["PING"]);
    served.pass(10_000);
    pipe.send(ping(0, 1).subarray(0, 3));
    await turns();
    pipe.send(ping(0, 1).subarray(3));
    await turns();
  }
  assert.deepEqual(served.drops, []);
  await served.end();
});

Deno.test("a request that pauses loses its stream, and nothing else", async () => {
  const served = new ServedPipes({ idleBodyTimeoutMs: 30_000 });
  const { pipe, received } = await served.ready();
  pipe.send(headers(1), headers(3), request(5));
  await turns();
  served.pass(20_000);
  pipe.send(data(3, 1));
  await turns();
  served.pass(10_000);
  assert.deepEqual(await received(), ["RST_STREAM 1 ENHANCE_YOUR_CALM"]);
  assert.deepEqual(served.drops, ["idle body"]);
  assert.deepEqual(served.calls.at(-1), "closed 1 false");
  await served.end();
});

Deno.test("while we owe window a request does not pause", async () => {
  const served = new ServedPipes({ idleBodyTimeoutMs: 30_000, keepaliveMs: 0 });
  const { pipe, received } = await served.ready();
  pipe.send(headers(1));
  for (let left = 65_535; left > 0; left -= 16_000) {
    pipe.send(data(1, Math.min(left, 16_000)));
  }
  await turns();
  served.pass(1_000_000);
  assert.deepEqual(served.drops, []);
  served.nowMs += 900;
  served.streams.get(1)!.allow(100);
  served.pass(29_000);
  assert.deepEqual(served.drops, []);
  assert.deepEqual(await received(), ["WINDOW_UPDATE 1 100"]);
  served.pass(2_000);
  assert.deepEqual(served.drops, ["idle body"]);
  await served.end();
});

Deno.test("a reply that does not move loses its stream", async () => {
  const served = new ServedPipes({ stallTimeoutMs: 20_000, keepaliveMs: 0 });
  const { pipe, received } = await served.ready();
  pipe.send(request(1), request(3));
  await turns();
  served.streams.get(1)!.respond(HEAD, body(100_000), TRAILERS);
  // Nothing is queued for it: it waits for us.
  served.streams.get(3)!.headers(HEAD);
  await received();
  served.pass(10_000);
  pipe.send(windowUpdate(1, 10), windowUpdate(0, 10));
  await received();
  served.pass(19_000);
  assert.deepEqual(served.drops, []);
  served.pass(1_000);
  assert.deepEqual(await received(), ["RST_STREAM 1 ENHANCE_YOUR_CALM"]);
  assert.deepEqual(served.drops, ["stall"]);
  await served.end();
});

Deno.test("others that wait for memory make the time shorter", async () => {
  let isContended = false;
  const served = new ServedPipes({ isContended: () => isContended });
  const { pipe, received } = await served.ready();
  pipe.send(request(1));
  await turns();
  served.streams.get(1)!.respond(HEAD, body(100_000), TRAILERS);
  await received();
  served.pass(6_000);
  assert.deepEqual(served.drops, []);
  isContended = true;
  served.pass(1_000);
  assert.deepEqual(served.drops, ["stall"]);
  await served.end();
});

Deno.test("who holds no memory has its full time, whoever waits for some", async () => {
  const served = new ServedPipes({
    idleBodyTimeoutMs: 30_000,
    isContended: () => true,
  });
  const { pipe } = await served.ready();
  pipe.send(headers(1));
  await turns();
  served.pass(29_000);
  assert.deepEqual(served.drops, []);
  served.pass(1_000);
  assert.deepEqual(served.drops, ["idle body"]);
  await served.end();
});

Deno.test("while we owe window its reply does not stall", async () => {
  const served = new ServedPipes({ stallTimeoutMs: 20_000, keepaliveMs: 0 });
  const { pipe, received } = await served.ready();
  pipe.send(headers(1));
  for (let left = 65_535; left > 0; left -= 16_000) {
    pipe.send(data(1, Math.min(left, 16_000)));
  }
  await turns();
  const stream = served.streams.get(1)!;
  stream.headers(HEAD);
  stream.data(body(100_000));
  await received();
  served.pass(60_000);
  stream.allow(100);
  served.pass(19_000);
  assert.deepEqual(served.drops, []);
  served.pass(2_000);
  assert.deepEqual(served.drops, ["stall"]);
  await served.end();
});

Deno.test("who reads nothing at all loses the connection", async () => {
  const served = new ServedPipes({ stallTimeoutMs: 20_000 });
  const { pipe, ended } = await served.ready();
  pipe.hold();
  pipe.send(request(1));
  await turns();
  served.streams.get(1)!.respond(HEAD, body(10), TRAILERS);
  await turns();
  served.pass(19_000);
  assert.equal(pipe.isClosed, false);
  served.pass(1_000);
  await ended;
  assert.deepEqual(served.drops, ["stall"]);
  // It was given to write.
  assert.equal(served.calls.at(-1), "closed 1 true");
  await served.end();
});

Deno.test("two replies that do not move leave the calls beside them", async () => {
  const served = new ServedPipes({ stallTimeoutMs: 20_000, keepaliveMs: 0 });
  const { pipe, received } = await served.ready();
  pipe.send(windowUpdate(0, 1_000_000), request(1), request(3), headers(5));
  await turns();
  for (const id of [1, 3]) {
    served.streams.get(id)!.respond(HEAD, body(100_000), TRAILERS);
  }
  await received();
  served.pass(20_000);
  assert.deepEqual(await received(), [
    "RST_STREAM 1 ENHANCE_YOUR_CALM",
    "RST_STREAM 3 ENHANCE_YOUR_CALM",
  ]);
  pipe.send(lastData(5, 1));
  await turns();
  assert.equal(served.calls.at(-1), "end 5");
  await served.end();
});

Deno.test("while the socket is full it is no stream that stalls", async () => {
  const served = new ServedPipes({ stallTimeoutMs: 20_000, keepaliveMs: 0 });
  const { pipe, received } = await served.ready();
  pipe.send(windowUpdate(0, 1_000_000), request(1), request(3));
  await turns();
  // The first waits for its window, then the second for the socket.
  served.streams.get(1)!.respond(HEAD, body(100_000), TRAILERS);
  await received();
  pipe.hold();
  served.streams.get(3)!.respond(HEAD, body(10), TRAILERS);
  await turns();
  served.pass(15_000);
  pipe.release();
  await turns();
  served.pass(19_000);
  assert.deepEqual(served.drops, []);
  served.pass(1_000);
  assert.deepEqual(served.drops, ["stall"]);
  await served.end();
});

Deno.test("an early answer's stream is reset without error, a second later", async () => {
  const served = new ServedPipes();
  const { pipe, received } = await served.ready();
  pipe.send(headers(1));
  await turns();
  served.streams.get(1)!.headers(HEAD, true);
  assert.deepEqual(await received(), ["HEADERS 1 :status=200 END_STREAM"]);
  served.pass(900);
  pipe.send(data(1, 100));
  assert.deepEqual(await received(), []);
  served.pass(100);
  assert.deepEqual(await received(), ["RST_STREAM 1 NO_ERROR"]);
  pipe.send(data(1, 100));
  assert.deepEqual(await received(), []);
  assert.deepEqual(served.calls, ["closed 1 true"]);
  assert.deepEqual(served.drops, []);
  await served.end();
});

Deno.test("what is thrown in a sweep ends its connection, not the process", async () => {
  const served = new ServedPipes();
  const { pipe, received } = await served.ready(() => ({
    data() {},
    end() {},
    closed() {
      throw new Error("a bug");
    },
  }));
  pipe.send(headers(1));
  await turns();
  served.pass(30_000);
  assert.deepEqual(await received(), [
    "RST_STREAM 1 ENHANCE_YOUR_CALM",
    "GOAWAY 1 INTERNAL_ERROR",
  ]);
  assert.equal(served.warnings.length, 1);
  await served.end();
});
