import assert from "node:assert/strict";
import { join } from "../http2/testing/octets.ts";
import { INITIAL_WINDOW_BYTES } from "./limits.ts";
import { Status, StatusError } from "./status.ts";
import {
  bytes,
  frame,
  settled,
  TestServer,
  text,
} from "./testing/test_server.ts";
import { upload, uploadWholeFrames } from "./testing/upload.ts";

const echo = (request: Uint8Array) => request;

Deno.test("a unary call that is answered at once is one respond in its turn", async () => {
  const server = new TestServer({ unary: echo });
  const stream = server.call("Unary", [bytes("hello")]);
  assert.equal(stream.calls, 1);
  assert.deepEqual(stream.blocks, [
    { ":status": "200", "content-type": "application/grpc" },
    { "grpc-status": "0" },
  ]);
  assert.deepEqual(stream.messages.map(text), ["hello"]);
  assert.equal(server.decoded[0]!.owned, false);
  stream.flush();
  assert.equal(stream.delivered, true);
  await server.assertQuiet();
});

Deno.test("a unary call can be answered by a promise, and by an empty message", async () => {
  const server = new TestServer({
    unary: (request) => Promise.resolve(request),
  });
  const stream = server.call("Unary", [bytes("")]);
  assert.deepEqual(stream.queued, []);
  await settled();
  assert.deepEqual(stream.messages, [bytes("")]);
  stream.flush();
  await server.assertQuiet();
});

Deno.test("a unary handler starts only at END_STREAM", async () => {
  let isCalled = false;
  const server = new TestServer({
    unary: (request) => {
      isCalled = true;
      return request;
    },
  });
  const stream = server.open("Unary");
  stream.receive(frame(bytes("x")));
  await settled();
  assert.equal(isCalled, false);
  stream.receiveEnd();
  assert.equal(isCalled, true);
  stream.flush();
  await server.assertQuiet();
});

for (
  const { what, parts, code, early } of [
    { what: "no message", parts: [], code: Status.UNIMPLEMENTED },
    {
      what: "two messages",
      parts: [frame(bytes("a")), frame(bytes("b"))],
      code: Status.UNIMPLEMENTED,
      early: true,
    },
    {
      what: "two messages in one piece",
      parts: [join(frame(bytes("a")), frame(bytes("b")))],
      code: Status.UNIMPLEMENTED,
      early: true,
    },
    {
      what: "a compressed message",
      parts: [frame(bytes("a"), 1)],
      code: Status.INTERNAL,
      early: true,
    },
    {
      what: "an unknown flag",
      parts: [frame(bytes("a"), 2)],
      code: Status.INTERNAL,
      early: true,
    },
    {
      what: "half a prefix",
      parts: [new Uint8Array(3)],
      code: Status.INTERNAL,
    },
    {
      what: "half a message",
      parts: [frame(bytes("abc")).subarray(0, 7)],
      code: Status.INTERNAL,
    },
    {
      what: "the prefix of too long a message",
      parts: [new Uint8Array([0, 0, 0, 4, 1])],
      code: Status.RESOURCE_EXHAUSTED,
      early: true,
    },
    {
      what: "the prefix of 4 GiB",
      parts: [new Uint8Array([0, 255, 255, 255, 255])],
      code: Status.RESOURCE_EXHAUSTED,
      early: true,
    },
  ]
) {
  Deno.test(`a unary call with ${what} gets the status ${code}`, async () => {
    const server = new TestServer({ unary: echo, maxMessageBytes: 1024 });
    const stream = server.open("Unary");
    for (const part of parts) stream.receive(part);
    assert.equal(stream.isOver, early === true);
    stream.receiveEnd();
    assert.equal(stream.status?.code, code);
    assert.equal(stream.blocks.length, 1, "Trailers-Only");
    stream.flush();
    await server.assertQuiet();
  });
}

Deno.test("a message of exactly the limit is taken", async () => {
  const server = new TestServer({ unary: echo, maxMessageBytes: 1024 });
  const stream = server.call("Unary", [new Uint8Array(1024)]);
  assert.equal(stream.status?.code, Status.OK);
  stream.flush();
  await server.assertQuiet();
});

Deno.test("what a method cannot read is answered when the request has ended", async () => {
  const server = new TestServer({
    unary: echo,
    codec: {
      decode: () => {
        throw new StatusError(Status.INVALID_ARGUMENT, "no such field");
      },
    },
  });
  const stream = server.open("Unary");
  stream.receive(frame(bytes("a")));
  assert.equal(stream.isOver, false);
  stream.receiveEnd();
  assert.deepEqual(stream.status, {
    code: Status.INVALID_ARGUMENT,
    message: "no such field",
  });
  stream.flush();
  await server.assertQuiet();
});

Deno.test("a message in pieces is a buffer of its own", async () => {
  const server = new TestServer({ unary: echo });
  const stream = server.open("Unary");
  const message = new Uint8Array(60_000).map((_, at) => at);
  const framed = frame(message);
  for (let at = 0; at < framed.length; at += 7_001) {
    stream.receive(framed.subarray(at, at + 7_001));
  }
  stream.receiveEnd();
  assert.deepEqual(server.decoded, [{ bytes: message, owned: true }]);
  assert.deepEqual(stream.messages, [message]);
  stream.flush();
  await server.assertQuiet();
});

Deno.test("a large message asks for all of its memory once a window of it has come", async () => {
  const server = new TestServer({
    unary: (request) => {
      assert.equal(request.buffer.byteLength, request.length, "its own");
      return bytes(String(request.length));
    },
  });
  const stream = server.open("Unary");
  const message = new Uint8Array(1_000_000).map((_, at) => at);
  const framed = frame(message);
  stream.receive(framed.subarray(0, 16_384));
  stream.receive(framed.subarray(16_384, 40_000));
  assert.deepEqual(server.budget.asked, [], "who only announces holds nothing");
  assert.equal(server.counts.unfinished.bytes, 40_000 + 256);
  assert.equal(upload(stream, framed.subarray(40_000)).length, 0);
  assert.deepEqual(server.budget.asked, [1_000_000]);
  assert.deepEqual(stream.allowed, [1_000_000]);
  assert.equal(server.counts.unfinished.size, 0, "the budget counts it");
  stream.receiveEnd();
  assert.deepEqual(stream.messages.map(text), ["1000000"]);
  assert.deepEqual(server.decoded, [{ bytes: message, owned: true }]);
  assert.equal(server.budget.usedBytes, 1_000_000, "until the call has ended");
  stream.flush();
  await server.assertQuiet();
});

Deno.test("a client that sends only whole frames gets room for a large message", async () => {
  for (const length of [65_530, 65_531, 66_000, 1_000_000]) {
    const server = new TestServer({ unary: echo, budgetBytes: 2_000_000 });
    const stream = server.open("Unary");
    const framed = frame(new Uint8Array(length));
    assert.equal(uploadWholeFrames(stream, framed).length, 0, `${length}`);
    stream.receiveEnd();
    assert.equal(stream.messages[0]?.length, length);
    stream.flush();
    await server.assertQuiet();
  }
});

Deno.test("a handler waits until there is room for a request that came whole", async () => {
  const replies: (() => void)[] = [];
  const server = new TestServer({
    unary: (request) =>
      new Promise((resolve) => replies.push(() => resolve(request))),
    budgetBytes: 70_000,
  });
  const large = bytes("x".repeat(60_000));
  const first = server.call("Unary", [large]);
  const second = server.call("Unary", [large]);
  assert.deepEqual(server.budget.asked, [60_000, 60_000]);
  assert.equal(replies.length, 1);
  assert.equal(server.counts.unfinished.size, 1, "it may have to make room");
  const small = server.call("Unary", [large.subarray(0, 4_096)]);
  assert.equal(replies.length, 2, "small ones are not counted");
  replies[0]!();
  await settled();
  first.flush();
  await settled();
  assert.equal(replies.length, 3);
  for (const reply of replies) reply();
  await settled();
  for (const stream of [small, second]) stream.flush();
  await server.assertQuiet();
});

Deno.test("a large message waits for its turn without holding anything", async () => {
  const server = new TestServer({ unary: echo, budgetBytes: 1_000_000 });
  const framed = frame(new Uint8Array(800_000));
  const first = server.open("Unary");
  const restOfFirst = upload(first, framed.subarray(0, 200_000));
  assert.equal(restOfFirst.length, 0);
  const second = server.open("Unary");
  const left = upload(second, framed);
  assert.equal(left.length, framed.length - INITIAL_WINDOW_BYTES);
  assert.equal(server.budget.contended, true);
  assert.equal(upload(first, framed.subarray(200_000)).length, 0);
  first.receiveEnd();
  first.flush();
  await settled();
  assert.equal(upload(second, left).length, 0);
  second.receiveEnd();
  assert.equal(second.messages[0]?.length, 800_000);
  second.flush();
  await server.assertQuiet();
});

Deno.test("a call that is lost while it waits for memory waits no more", async () => {
  const server = new TestServer({ unary: echo, budgetBytes: 1_000_000 });
  const framed = frame(new Uint8Array(800_000));
  const [first, second] = [server.open("Unary"), server.open("Unary")];
  upload(first, framed.subarray(0, 200_000));
  upload(second, framed);
  assert.equal(server.budget.contended, true);
  second.lose();
  first.lose();
  await server.assertQuiet();
});

Deno.test("a message that fills the window leaves room to say that there is more", async () => {
  const server = new TestServer({ unary: echo });
  const stream = server.open("Unary");
  upload(stream, frame(new Uint8Array(INITIAL_WINDOW_BYTES - 5)));
  assert.ok(stream.windowBytes > 0);
  stream.receive(new Uint8Array(1));
  assert.equal(stream.status?.code, Status.UNIMPLEMENTED);
  stream.flush();
  await server.assertQuiet();
});
