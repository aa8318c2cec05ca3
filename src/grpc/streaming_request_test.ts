import assert from "node:assert/strict";
import { join } from "../http2/testing/octets.ts";
import type { Requests } from "./call.ts";
import { INITIAL_WINDOW_BYTES, STANDING_GRANT_BYTES } from "./limits.ts";
import { Status, StatusError } from "./status.ts";
import {
  bytes,
  frame,
  settled,
  TestServer,
  text,
} from "./testing/test_server.ts";
import { upload, uploadWholeFrames } from "./testing/upload.ts";

async function joined(requests: Requests<Uint8Array>): Promise<Uint8Array> {
  const parts: string[] = [];
  for await (const request of requests) parts.push(text(request));
  return bytes(parts.join("+"));
}

/** Takes a message when it is told to. */
function byHand(): {
  readonly handler: (requests: Requests<Uint8Array>) => Promise<Uint8Array>;
  readonly requests: () => Requests<Uint8Array>;
  readonly finish: (reply: Uint8Array) => void;
} {
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  let known: Requests<Uint8Array> | undefined;
  return {
    handler: (requests) => {
      known = requests;
      return promise;
    },
    requests: () => known!,
    finish: resolve,
  };
}

Deno.test("many requests are answered once", async () => {
  const server = new TestServer({ clientStream: joined });
  const stream = server.call("ClientStream", [
    bytes("a"),
    bytes(""),
    bytes("c"),
  ]);
  await server.turn();
  assert.deepEqual(stream.messages.map(text), ["a++c"]);
  assert.ok(server.decoded.every(({ owned }) => owned));
  stream.flush();
  await server.assertQuiet();
});

Deno.test("a streaming handler starts with the head, and may have no request", async () => {
  let isCalled = false;
  const server = new TestServer({
    clientStream: (requests) => {
      isCalled = true;
      return joined(requests);
    },
  });
  const stream = server.open("ClientStream");
  assert.equal(isCalled, true);
  stream.receiveEnd();
  await server.turn();
  assert.deepEqual(stream.messages.map(text), [""]);
  stream.flush();
  await server.assertQuiet();
});

Deno.test("requests and replies can go to and fro", async () => {
  const server = new TestServer({
    duplex: async (requests, _call, sender) => {
      for await (const request of requests) await sender.send(request);
    },
  });
  const stream = server.open("Duplex");
  for (const [place, word] of ["ping", "pong", "pung"].entries()) {
    stream.receive(frame(bytes(word)));
    await settled();
    stream.flush();
    assert.equal(text(stream.messages[place]), word);
  }
  stream.receiveEnd();
  await settled();
  assert.equal(stream.status?.code, Status.OK);
  stream.flush();
  assert.equal(server.counts.open.size, 0);
  await server.assertQuiet();
});

for (
  const { what, last, code } of [
    { what: "half a prefix", last: new Uint8Array(3), code: Status.INTERNAL },
    {
      what: "half a message",
      last: frame(bytes("abc")).subarray(0, 7),
      code: Status.INTERNAL,
    },
    {
      what: "a compressed message",
      last: frame(bytes("abc"), 1),
      code: Status.INTERNAL,
    },
    {
      what: "an unknown flag",
      last: frame(bytes("abc"), 128),
      code: Status.INTERNAL,
    },
    {
      what: "the prefix of too long a message",
      last: new Uint8Array([0, 0, 0, 4, 1]),
      code: Status.RESOURCE_EXHAUSTED,
    },
  ]
) {
  Deno.test(`a streaming request with ${what} fails after those before it`, async () => {
    const seen: string[] = [];
    const server = new TestServer({
      maxMessageBytes: 1024,
      clientStream: async (requests) => {
        for await (const request of requests) seen.push(text(request));
        return bytes("");
      },
    });
    const stream = server.open("ClientStream");
    stream.receive(join(frame(bytes("one")), frame(bytes("two")), last));
    await server.turn();
    stream.receiveEnd();
    await server.turn();
    assert.deepEqual(seen, ["one", "two"]);
    assert.equal(stream.status?.code, code);
    assert.equal(stream.blocks.length, 1, "Trailers-Only");
    stream.flush();
    await server.assertQuiet();
  });
}

Deno.test("what a method cannot read is thrown by next, and then there is no more", async () => {
  const results: unknown[] = [];
  const server = new TestServer({
    clientStream: async (requests) => {
      await requests.next().catch((error) => results.push(error.message));
      results.push((await requests.next()).done);
      return bytes("");
    },
    codec: {
      decode: () => {
        throw new StatusError(Status.INVALID_ARGUMENT, "no such field");
      },
    },
  });
  const stream = server.call("ClientStream", [bytes("a"), bytes("b")]);
  await server.turn();
  assert.deepEqual(results, ["no such field", true]);
  stream.flush();
  await server.assertQuiet();
});

Deno.test("the window returns when the handler takes a message, not before", async () => {
  const { handler, requests, finish } = byHand();
  const server = new TestServer({ clientStream: handler });
  const stream = server.open("ClientStream");
  stream.receive(frame(new Uint8Array(20_000)));
  stream.receive(frame(new Uint8Array(20_000)));
  await server.turn();
  assert.deepEqual(stream.allowed, []);
  await requests().next();
  assert.deepEqual(stream.allowed, [20_005]);
  assert.equal(server.counts.unfinished.bytes, 20_005 + 256);
  finish(bytes(""));
  await settled();
  stream.flush();
  await server.assertQuiet();
});

Deno.test("window is returned in steps, and a message never waits for a step", async () => {
  const { handler, requests, finish } = byHand();
  const server = new TestServer({ clientStream: handler, budgetBytes: 1 });
  const others = await server.budget.take({}, 1);
  const stream = server.open("ClientStream");
  for (let sent = 0; sent < 10; sent++) {
    stream.receive(frame(new Uint8Array(1_000)));
    await requests().next();
  }
  assert.deepEqual(stream.allowed, [], "an update would cost a frame each");
  const large = frame(new Uint8Array(60_000));
  assert.equal(upload(stream, large).length, 0);
  assert.equal((await requests().next()).value?.length, 60_000);
  assert.equal(server.budget.contended, true, "no grant has helped");
  finish(bytes(""));
  await settled();
  stream.flush();
  others.release();
  await server.assertQuiet();
});

Deno.test("a client that sends only whole frames gets on in a stream", async () => {
  const { handler, requests, finish } = byHand();
  const server = new TestServer({
    clientStream: handler,
    budgetBytes: 4_000_000,
  });
  const stream = server.open("ClientStream");
  for (const length of [70_000, 256 * 1024, 900_000, 1_000, 1_000_000]) {
    const framed = frame(new Uint8Array(length));
    assert.equal(uploadWholeFrames(stream, framed).length, 0, `${length}`);
    const next = requests().next();
    await server.turn();
    assert.equal((await next).value?.length, length);
  }
  stream.receiveEnd();
  assert.equal((await requests().next()).done, true);
  finish(bytes(""));
  await settled();
  stream.flush();
  await server.assertQuiet();
});

Deno.test("a streaming request gets a standing grant once a window of it has come", async () => {
  const { handler, requests, finish } = byHand();
  const server = new TestServer({ clientStream: handler });
  const stream = server.open("ClientStream");
  const piece = frame(new Uint8Array(256 * 1024).map((_, at) => at));
  assert.equal(upload(stream, piece).length, 0);
  assert.deepEqual(server.budget.asked, [STANDING_GRANT_BYTES]);
  assert.equal(upload(stream, piece).length, 0);
  assert.equal(upload(stream, piece).length, 0);
  const left = upload(stream, piece);
  assert.equal(
    piece.length - left.length,
    STANDING_GRANT_BYTES + INITIAL_WINDOW_BYTES - 3 * piece.length,
    "three pieces lie here, and no more",
  );
  const { value } = await requests().next();
  assert.deepEqual(value, piece.slice(5));
  assert.equal(value!.buffer.byteLength, value!.length, "a buffer of its own");
  assert.equal(upload(stream, left).length, 0, "and one more may come");
  for (let taken = 0; taken < 3; taken++) {
    const next = requests().next();
    await server.turn();
    assert.equal((await next).value?.length, 256 * 1024);
  }
  assert.deepEqual(server.budget.asked, [STANDING_GRANT_BYTES]);
  stream.receiveEnd();
  assert.equal((await requests().next()).done, true);
  finish(bytes(""));
  await settled();
  assert.equal(server.budget.usedBytes, STANDING_GRANT_BYTES);
  stream.flush();
  await server.assertQuiet();
});

Deno.test("until there is a grant, small messages go on with the window of HTTP/2", async () => {
  const server = new TestServer({
    unary: (request) => request,
    clientStream: async (requests) => {
      let length = 0;
      for await (const request of requests) length += request.length;
      return bytes(String(length));
    },
    budgetBytes: 1_000_000,
  });
  const holder = server.open("Unary");
  upload(holder, frame(new Uint8Array(900_000)).subarray(0, 100_000));
  assert.equal(server.budget.usedBytes, 900_000);
  const stream = server.open("ClientStream");
  for (let sent = 0; sent < 40; sent++) {
    assert.equal(upload(stream, frame(new Uint8Array(10_000))).length, 0);
    await server.turn();
  }
  assert.equal(server.budget.contended, true, "it still waits for its grant");
  stream.receiveEnd();
  assert.equal(server.budget.contended, false, "what for?");
  await server.turn();
  assert.deepEqual(stream.messages.map(text), ["400000"]);
  stream.flush();
  holder.lose();
  await server.assertQuiet();
});

Deno.test("a message beyond the standing grant gives it back, and asks for all", async () => {
  const server = new TestServer({
    clientStream: async (requests) => {
      const lengths: number[] = [];
      for await (const request of requests) lengths.push(request.length);
      return bytes(lengths.join());
    },
    budgetBytes: 3_000_000,
  });
  const stream = server.open("ClientStream");
  let left = new Uint8Array(0) as Uint8Array;
  for (const length of [100_000, 3_000_000, 2_000_000, 10]) {
    left = join(left, frame(new Uint8Array(length)));
  }
  while (left.length > 0) {
    const rest = upload(stream, left);
    await server.turn();
    assert.ok(rest.length < left.length, `${rest.length} bytes are stuck`);
    left = rest;
  }
  stream.receiveEnd();
  await server.turn();
  assert.deepEqual(server.budget.asked, [STANDING_GRANT_BYTES, 3_000_000]);
  assert.deepEqual(stream.messages.map(text), ["100000,3000000,2000000,10"]);
  stream.flush();
  await server.assertQuiet();
});

Deno.test("messages sent ahead are taken 64 in a turn, over all streams", async () => {
  let taken = 0;
  const server = new TestServer({
    clientStream: async (requests) => {
      for await (const _ of requests) taken++;
      return bytes("");
    },
  });
  const tiny = join(...Array.from({ length: 3_000 }, () => frame(bytes(""))));
  const streams = [server.open("ClientStream"), server.open("ClientStream")];
  for (const stream of streams) {
    stream.receive(tiny);
    stream.receiveEnd();
  }
  await settled();
  // Besides one each that was asked for before it came.
  assert.equal(taken, 64 + 2);
  await server.turn();
  assert.equal(taken, 2 * 64 + 2);
  while (server.hasWork) await server.turn();
  assert.equal(taken, 6_000);
  for (const stream of streams) stream.flush();
  await server.assertQuiet();
});

Deno.test("a reader that waits is told when the call is lost", async () => {
  const { handler, requests, finish } = byHand();
  const server = new TestServer({ clientStream: handler });
  const stream = server.open("ClientStream");
  const next = requests().next();
  stream.lose();
  assert.deepEqual(await next, { done: true, value: undefined });
  assert.equal((await requests().next()).done, true);
  assert.equal(server.counts.open.size, 1, "its handler still runs");
  finish(bytes(""));
  await server.assertQuiet();
});

Deno.test("a second reader is refused, and the first one goes on", async () => {
  const { handler, requests, finish } = byHand();
  const server = new TestServer({ clientStream: handler });
  const stream = server.open("ClientStream");
  const first = requests().next();
  await assert.rejects(requests().next(), /one reader/);
  stream.receive(frame(bytes("a")));
  assert.equal(text((await first).value), "a");
  finish(bytes(""));
  await settled();
  stream.flush();
  await server.assertQuiet();
});

Deno.test("a handler that has heard enough answers early", async () => {
  const server = new TestServer({
    clientStream: async (requests) => {
      for await (const request of requests) return request;
      return bytes("none");
    },
  });
  const stream = server.open("ClientStream");
  stream.receive(join(frame(bytes("a")), frame(bytes("b"))));
  await settled();
  assert.deepEqual(stream.messages.map(text), ["a"]);
  stream.receive(frame(bytes("c")));
  stream.flush();
  await server.assertQuiet();
});
