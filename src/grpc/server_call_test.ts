import assert from "node:assert/strict";
import type { Call, Sender } from "./call.ts";
import { Metadata } from "./metadata.ts";
import { Status, StatusError } from "./status.ts";
import {
  bytes,
  frame,
  settled,
  TestServer,
  text,
} from "./testing/test_server.ts";

type Bytes = Uint8Array;

/** A handler that a test answers for, and what it saw. */
function pending() {
  const { promise, resolve, reject } = Promise.withResolvers<Bytes>();
  const seen = { call: undefined as Call | undefined, ends: [] as boolean[] };
  const handler = (_request: unknown, call: Call) => {
    seen.call = call;
    call.whenEnded((delivered) => void seen.ends.push(delivered));
    return promise;
  };
  return { handler, resolve, reject, seen };
}

Deno.test("what a handler throws as a status is Trailers-Only", async () => {
  const server = new TestServer({
    unary: () => {
      throw new StatusError(
        Status.FAILED_PRECONDITION,
        "not yet: 100 %",
        new Metadata().add("retry-in", "3").add("why-bin", bytes("\x00\xff")),
      );
    },
  });
  const stream = server.call("Unary", [bytes("")]);
  assert.deepEqual(stream.blocks, [{
    ":status": "200",
    "content-type": "application/grpc",
    "grpc-status": "9",
    "grpc-message": "not yet: 100 %25",
    "retry-in": "3",
    "why-bin": "AMO/",
  }]);
  stream.flush();
  assert.deepEqual(server.logged, []);
  await server.assertQuiet();
});

for (
  const [what, handler] of [
    ["throws", () => {
      throw new Error("secret");
    }],
    ["rejects with", () => Promise.reject(new Error("secret"))],
  ] as const
) {
  Deno.test(`what else a handler ${what} is logged, and INTERNAL`, async () => {
    const server = new TestServer({ unary: handler });
    const stream = server.call("Unary", [bytes("")]);
    await settled();
    assert.equal(stream.status?.code, Status.INTERNAL);
    assert.doesNotMatch(stream.status.message, /secret/);
    assert.match(server.logged[0]!.message, /\/test.Test\/Unary/);
    assert.equal((server.logged[0]!.cause as Error).message, "secret");
    stream.flush();
    await server.assertQuiet();
  });
}

Deno.test("a reply that cannot be encoded is logged, and INTERNAL", async () => {
  const server = new TestServer({
    unary: (request) => request,
    codec: {
      encode: () => {
        throw new TypeError("no bytes");
      },
    },
  });
  const stream = server.call("Unary", [bytes("")]);
  assert.equal(stream.status?.code, Status.INTERNAL);
  assert.equal(stream.blocks.length, 1);
  assert.equal(server.logged.length, 1);
  stream.flush();
  await server.assertQuiet();
});

Deno.test("metadata goes before and after the reply; reserved names are not sent", async () => {
  const server = new TestServer({
    unary: (request, call) => {
      call.initialMetadata.add("x-before", "1").add("grpc-encoding", "gzip");
      call.trailingMetadata.add("x-after", "2").add("x-after", "3");
      call.trailingMetadata.add("content-type", "text/html");
      return request;
    },
  });
  const stream = server.call("Unary", [bytes("a")]);
  const [head, , trailers] = stream.queued;
  assert.deepEqual(head?.kind === "headers" && head.fields, [
    [":status", "200"],
    ["content-type", "application/grpc"],
    ["x-before", "1"],
  ]);
  assert.deepEqual(trailers?.kind === "headers" && trailers.fields, [
    ["grpc-status", "0"],
    ["x-after", "2"],
    ["x-after", "3"],
  ]);
  stream.flush();
  await server.assertQuiet();
});

Deno.test("an error after initial metadata has its status in trailers", async () => {
  const server = new TestServer({
    unary: (_request, call) => {
      call.initialMetadata.add("x-before", "1");
      throw new StatusError(Status.ABORTED, "");
    },
  });
  const stream = server.call("Unary", [bytes("")]);
  assert.deepEqual(stream.blocks.map((block) => Object.keys(block)), [
    [":status", "content-type", "x-before"],
    ["grpc-status"],
  ]);
  stream.flush();
  await server.assertQuiet();
});

Deno.test("headers can be sent before there is a reply, once", async () => {
  const { handler, resolve, seen } = pending();
  const server = new TestServer({ unary: handler });
  const stream = server.call("Unary", [bytes("")]);
  seen.call!.initialMetadata.add("x-early", "1");
  seen.call!.sendHeaders();
  seen.call!.sendHeaders();
  assert.equal(stream.blocks.length, 1);
  assert.equal(stream.blocks[0]!["x-early"], "1");
  resolve(bytes("late"));
  await settled();
  assert.deepEqual(stream.messages.map(text), ["late"]);
  assert.equal(stream.blocks.length, 2);
  stream.flush();
  assert.deepEqual(seen.ends, [true]);
  await server.assertQuiet();
});

Deno.test("a call knows its peer, its connection and its metadata", async () => {
  const connection = { peer: "192.0.2.7:1" };
  let call: Call | undefined;
  const server = new TestServer({
    unary: (request, its) => {
      call = its;
      return request;
    },
  });
  const fields = ["x-a", "1", "x-a", "2", "x-bin", "AA==,/w", "grpc-x", "3"];
  const stream = server.call("Unary", [bytes("")], { connection, fields });
  assert.equal(call!.peer, "192.0.2.7:1");
  assert.equal(call!.connection, connection);
  assert.equal(call!.deadlineMs, undefined);
  assert.deepEqual([...call!.metadata], [
    ["x-a", "1"],
    ["x-a", "2"],
    ["x-bin", new Uint8Array([0])],
    ["x-bin", new Uint8Array([255])],
  ]);
  stream.flush();
  await server.assertQuiet();
});

Deno.test("a call that is lost is cancelled once, and counts until its handler has ended", async () => {
  const { handler, reject, seen } = pending();
  const server = new TestServer({ unary: handler });
  const stream = server.call("Unary", [bytes("")]);
  const { signal } = seen.call!;
  let aborts = 0;
  signal.addEventListener("abort", () => aborts++);
  assert.equal(seen.call!.hasEnded, false);
  stream.lose();
  stream.lose();
  assert.deepEqual(seen.ends, [false]);
  assert.equal(aborts, 1);
  assert.equal(seen.call!.hasEnded, true);
  assert.equal(server.counts.open.size, 1);
  seen.call!.whenEnded((delivered) => void seen.ends.push(delivered));
  assert.deepEqual(seen.ends, [false, false], "at once when it has ended");
  reject(new Error("aborted"));
  await settled();
  assert.deepEqual(server.logged, [], "that is just what became of it");
  assert.deepEqual(stream.queued, []);
  await server.assertQuiet();
});

Deno.test("a signal that is asked for afterwards says how the call ended", async () => {
  const calls: Call[] = [];
  const server = new TestServer({
    unary: (request, call) => {
      calls.push(call);
      return request;
    },
  });
  server.call("Unary", [bytes("")]).lose();
  server.call("Unary", [bytes("")]).flush();
  assert.deepEqual(calls.map((call) => call.signal.aborted), [true, false]);
  await server.assertQuiet();
});

Deno.test("a reply that is withdrawn before it was given to write is not delivered", async () => {
  const ends: boolean[] = [];
  const server = new TestServer({
    unary: (request, call) => {
      call.whenEnded((delivered) => void ends.push(delivered));
      return request;
    },
  });
  const stream = server.call("Unary", [bytes("")]);
  assert.deepEqual(ends, [], "it is queued, no more");
  stream.lose();
  assert.deepEqual(ends, [false]);
  await server.assertQuiet();
});

Deno.test("a listener that throws keeps the others from nothing", async () => {
  const ends: boolean[] = [];
  const server = new TestServer({
    unary: (request, call) => {
      call.whenEnded(() => {
        throw new Error("mine");
      });
      call.whenEnded((delivered) => void ends.push(delivered));
      return request;
    },
  });
  server.call("Unary", [bytes("")]).flush();
  assert.deepEqual(ends, [true]);
  assert.equal(server.logged.length, 1);
  await server.assertQuiet();
});

Deno.test("what is answered in its turn starts no timer", async () => {
  const server = new TestServer({ unary: (request) => request });
  const stream = server.call("Unary", [bytes("")], {
    fields: ["grpc-timeout", "1S"],
  });
  assert.equal(server.server.waitingDeadlines, 0);
  await settled();
  assert.equal(server.clock.timers, 0);
  stream.flush();
  await server.assertQuiet();
});

Deno.test("a call that waits is ended at its deadline, and its handler is told", async () => {
  const { handler, resolve, seen } = pending();
  const server = new TestServer({ unary: handler });
  const fields = ["grpc-timeout", "1500m"];
  const stream = server.call("Unary", [bytes("")], { fields });
  const { signal } = seen.call!;
  assert.equal(seen.call!.deadlineMs, 1_500);
  await settled();
  assert.equal(server.clock.timers, 1);
  server.clock.advance(1_499);
  assert.equal(stream.isOver, false);
  server.clock.advance(1);
  assert.equal(stream.status?.code, Status.DEADLINE_EXCEEDED);
  assert.equal(signal.aborted, true);
  stream.flush();
  assert.deepEqual(seen.ends, [false]);
  resolve(bytes("too late"));
  await server.assertQuiet();
  assert.deepEqual(stream.messages, []);
});

Deno.test("a request that is not complete is ended at its deadline, too", async () => {
  const server = new TestServer({
    unary: (request) => request,
    clientStream: async (requests) => {
      while (!(await requests.next()).done);
      return bytes("");
    },
  });
  const fields = ["grpc-timeout", "1S"];
  const streams = ["Unary", "ClientStream"].map((name) => {
    const stream = server.open(name, { fields });
    stream.receive(frame(bytes("abc")).subarray(0, 6));
    return stream;
  });
  await settled();
  server.clock.advance(1_000);
  for (const stream of streams) {
    assert.equal(stream.status?.code, Status.DEADLINE_EXCEEDED);
    stream.flush();
  }
  await server.assertQuiet();
});

Deno.test("a request that ends after its deadline starts no handler, though no timer has fired", async () => {
  const server = new TestServer({
    unary: () => {
      throw new Error("started");
    },
  });
  const stream = server.open("Unary", { fields: ["grpc-timeout", "1S"] });
  await settled();
  server.clock.sleepThrough(1_000);
  stream.receive(frame(bytes("a")));
  stream.receiveEnd();
  assert.equal(stream.status?.code, Status.DEADLINE_EXCEEDED);
  assert.deepEqual(server.logged, []);
  stream.flush();
  await server.assertQuiet();
});

Deno.test("a timeout of nothing starts no handler", async () => {
  const never = () => {
    throw new Error("started");
  };
  const server = new TestServer({ unary: never, clientStream: never });
  for (const name of ["Unary", "ClientStream"]) {
    const stream = server.call(name, [bytes("")], {
      fields: ["grpc-timeout", "0n"],
    });
    assert.equal(stream.status?.code, Status.DEADLINE_EXCEEDED);
    stream.flush();
  }
  assert.deepEqual(server.logged, []);
  await server.assertQuiet();
});

Deno.test("many replies leave in order, and OK follows", async () => {
  const sent: boolean[] = [];
  const server = new TestServer({
    serverStream: async (request, _call, sender) => {
      for (const end of ["1", "2"]) {
        sent.push(await sender.send(bytes(text(request) + end)));
      }
    },
  });
  const stream = server.call("ServerStream", [bytes("a")]);
  await settled();
  assert.deepEqual(stream.messages.map(text), ["a1"]);
  assert.deepEqual(sent, [], "it was not given to write");
  stream.flush();
  await settled();
  stream.flush();
  await settled();
  assert.deepEqual(sent, [true, true]);
  assert.deepEqual(stream.messages.map(text), ["a1", "a2"]);
  assert.deepEqual(stream.status, { code: Status.OK, message: "" });
  stream.flush();
  await server.assertQuiet();
});

Deno.test("no replies at all are Trailers-Only", async () => {
  const server = new TestServer({ serverStream: () => {} });
  const stream = server.call("ServerStream", [bytes("a")]);
  assert.equal(stream.blocks.length, 1);
  assert.deepEqual(stream.status, { code: Status.OK, message: "" });
  stream.flush();
  await server.assertQuiet();
});

Deno.test("an error after replies is in the trailers", async () => {
  const server = new TestServer({
    serverStream: (_request, _call, sender) => {
      void sender.send(bytes("a"));
      throw new StatusError(Status.DATA_LOSS, "gone");
    },
  });
  const stream = server.call("ServerStream", [bytes("a")]);
  assert.deepEqual(stream.messages.map(text), ["a"]);
  assert.deepEqual(stream.blocks[1], {
    "grpc-status": "15",
    "grpc-message": "gone",
  });
  stream.flush();
  await server.assertQuiet();
});

Deno.test("replies that were not given to write are not sent once the call has ended", async () => {
  let sender: Sender<Bytes> | undefined;
  const { promise, resolve } = Promise.withResolvers<void>();
  const server = new TestServer({
    serverStream: (_request, _call, its) => {
      sender = its;
      return promise;
    },
  });
  const stream = server.call("ServerStream", [bytes("a")]);
  const sends = [sender!.send(bytes("1")), sender!.send(bytes("2"))];
  stream.lose();
  assert.deepEqual(await Promise.all(sends), [false, false]);
  assert.equal(await sender!.send(bytes("3")), false);
  resolve();
  await server.assertQuiet();
});

Deno.test("at its deadline a call whose client does not read is reset", async () => {
  let sender: Sender<Bytes> | undefined;
  const { promise, resolve } = Promise.withResolvers<void>();
  const server = new TestServer({
    serverStream: (_request, _call, its) => {
      sender = its;
      return promise;
    },
  });
  const stream = server.call("ServerStream", [bytes("a")], {
    fields: ["grpc-timeout", "1S"],
  });
  const sent = sender!.send(bytes("1"));
  await settled();
  server.clock.advance(1_000);
  assert.deepEqual(stream.resets, [8]);
  assert.equal(await sent, false);
  resolve();
  await server.assertQuiet();
});
