import assert from "node:assert/strict";
import { CallCounts } from "./counts.ts";
import { GrpcServer } from "./server.ts";
import { Status } from "./status.ts";
import { FakeStream } from "./testing/fake_stream.ts";
import {
  bytes,
  frame,
  settled,
  TestServer,
  text,
} from "./testing/test_server.ts";

const echo = (request: Uint8Array) => request;

/** Opens a stream with these fields and no others. */
function open(
  server: TestServer,
  fields: readonly string[],
  { method = "POST", path = "/test.Test/Unary" } = {},
): FakeStream {
  return new FakeStream().open(server.server.handleRequest, {
    method,
    scheme: "http",
    path,
    authority: undefined,
    fields,
  });
}

function body(stream: FakeStream): string {
  return stream.queued.map((one) => one.kind === "data" ? text(one.bytes) : "")
    .join("");
}

Deno.test("another method than POST gets 405 and a line of text", async () => {
  const server = new TestServer({ unary: echo });
  const stream = open(server, ["content-type", "application/grpc"], {
    method: "GET",
  });
  assert.equal(stream.blocks[0]![":status"], "405");
  assert.equal(stream.blocks[0]!["allow"], "POST");
  assert.match(body(stream), /^This port speaks gRPC.*\n$/);
  assert.equal(stream.isOver, true);
  stream.flush();
  await server.assertQuiet();
});

for (
  const type of [
    undefined,
    "text/plain",
    "application/json",
    "application/grpc-web",
    "application/grpc+json",
    "application/grpcx",
    "",
  ]
) {
  Deno.test(`the content-type ${type} gets 415 and a line of text`, async () => {
    const server = new TestServer({ unary: echo });
    const stream = open(
      server,
      type === undefined ? [] : ["content-type", type],
    );
    assert.equal(stream.blocks[0]![":status"], "415");
    assert.match(body(stream), /^This port speaks gRPC.*\n$/);
    stream.receiveEnd();
    stream.flush();
    await server.assertQuiet();
  });
}

for (
  const type of [
    "application/grpc",
    "application/grpc+proto",
    "application/grpc;charset=utf-8",
    "application/grpc+proto ; x=y",
    "Application/gRPC",
  ]
) {
  Deno.test(`the content-type ${type} is gRPC, with te or without`, async () => {
    const server = new TestServer({ unary: echo });
    const stream = open(server, ["content-type", type]);
    stream.receive(frame(bytes("a")));
    stream.receiveEnd();
    assert.equal(stream.status?.code, Status.OK);
    stream.flush();
    await server.assertQuiet();
  });
}

Deno.test("a method that nobody handles is UNIMPLEMENTED at once", async () => {
  const server = new TestServer({ unary: echo });
  for (const path of ["/test.Test/Other", "/other.Test/Unary", "/", "*"]) {
    const stream = server.open(path.startsWith("/") ? path : `/${path}`);
    assert.deepEqual(stream.status, {
      code: Status.UNIMPLEMENTED,
      message: `unimplemented method ${
        path.startsWith("/") ? path : `/${path}`
      }`,
    });
    assert.equal(stream.blocks.length, 1);
    stream.receive(bytes("anything"));
    stream.receiveEnd();
    stream.flush();
  }
  await server.assertQuiet();
});

Deno.test("an encoding but identity is UNIMPLEMENTED, and is told what there is", async () => {
  const server = new TestServer({ unary: echo });
  const fields = ["grpc-encoding", "gzip"];
  const stream = server.open("Unary", { fields });
  assert.equal(stream.status?.code, Status.UNIMPLEMENTED);
  assert.equal(stream.blocks[0]!["grpc-accept-encoding"], "identity");
  stream.flush();
  const identity = server.call("Unary", [bytes("a")], {
    fields: ["grpc-encoding", "identity"],
  });
  assert.equal(identity.status?.code, Status.OK);
  identity.flush();
  await server.assertQuiet();
});

Deno.test("a malformed timeout is INTERNAL, and says what it has to be", async () => {
  const server = new TestServer({ unary: echo });
  for (const timeout of ["", "1", "S", "123456789S", "1s", "-1S", "1.5S"]) {
    const fields = ["grpc-timeout", timeout];
    const stream = server.open("Unary", { fields });
    assert.equal(stream.status?.code, Status.INTERNAL, timeout);
    assert.match(stream.status.message, /malformed grpc-timeout .*digits/);
    stream.flush();
  }
  await server.assertQuiet();
});

Deno.test("beyond its share a connection's calls are refused, others' are not", async () => {
  const refused: string[] = [];
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  const server = new TestServer({
    unary: () => promise,
    maxOpenCalls: 12,
    onRefused: (reason) => void refused.push(reason),
  });
  const [greedy, modest] = [{ peer: "192.0.2.1:1" }, { peer: "192.0.2.2:1" }];
  const streams = Array.from(
    { length: 13 },
    () => server.call("Unary", [bytes("")], { connection: greedy }),
  );
  assert.deepEqual(streams.pop()!.resets, [7]);
  for (let calls = 0; calls < 4; calls++) {
    streams.push(server.call("Unary", [bytes("")], { connection: modest }));
  }
  assert.ok(streams.every((stream) => stream.resets.length === 0));
  assert.equal(server.counts.open.size, 16);
  assert.deepEqual(refused, ["manyCalls"]);
  resolve(bytes("a"));
  await settled();
  for (const stream of streams) stream.flush();
  await server.assertQuiet();
});

Deno.test("the stillest unfinished request makes room for the others", async () => {
  const refused: string[] = [];
  const server = new TestServer({
    unary: echo,
    maxUnfinishedRequests: 3,
    onRefused: (reason) => void refused.push(reason),
  });
  const streams = [1, 2, 3].map((port) =>
    server.open("Unary", { connection: { peer: `192.0.2.1:${port}` } })
  );
  streams[0]!.receive(frame(bytes("abc")).subarray(0, 6));
  const last = server.open("Unary");
  assert.deepEqual(streams.map(({ resets }) => resets), [[], [7], []]);
  assert.deepEqual(refused, ["unfinished"]);
  for (const stream of [streams[0]!, streams[2]!, last]) stream.lose();
  await server.assertQuiet();
});

Deno.test("a connection with many unfinished requests loses them together", async () => {
  const server = new TestServer({ unary: echo, maxUnfinishedRequests: 20 });
  const connection = { peer: "192.0.2.1:1" };
  const many = Array.from(
    { length: 20 },
    () => server.open("Unary", { connection }),
  );
  const polite = server.open("Unary");
  assert.ok(many.every((stream) => stream.resets[0] === 7));
  polite.receive(frame(bytes("a")));
  polite.receiveEnd();
  assert.equal(polite.status?.code, Status.OK);
  polite.flush();
  await server.assertQuiet();
});

Deno.test("a newcomer that is refused while it opens is forgotten", async () => {
  const server = new TestServer({
    unary: echo,
    clientStream: () => Promise.reject(new Error("started")),
    maxUnfinishedRequests: 17,
  });
  const connection = { peer: "192.0.2.1:1" };
  for (let calls = 0; calls < 17; calls++) server.open("Unary", { connection });
  const stream = server.open("ClientStream", { connection });
  assert.deepEqual(stream.resets, [7]);
  assert.deepEqual(server.logged, [], "its handler never saw it");
  await server.assertQuiet();
});

Deno.test("bytes that no budget counts are bounded, and a started handler is not asked to repeat", async () => {
  const server = new TestServer({
    unary: echo,
    clientStream: async (requests) => {
      while (!(await requests.next()).done);
      return bytes("");
    },
    maxUngrantedBytes: 80_000,
  });
  const started = server.open("ClientStream");
  started.receive(frame(new Uint8Array(60_000)).subarray(0, 45_000));
  const other = server.open("Unary");
  other.receive(frame(new Uint8Array(60_000)).subarray(0, 45_000));
  assert.deepEqual(started.resets, [11]);
  assert.deepEqual(other.resets, []);
  other.lose();
  await server.assertQuiet();
});

Deno.test("a handler has to be of its method's kind, and its method's only one", () => {
  const server = new GrpcServer({
    clock: { nowMs: () => 0, setTimer: () => ({ cancel() {} }) },
    maxMessageBytes: 1,
    log() {},
    counts: new CallCounts(),
  });
  const method = {
    path: "/a.B/C",
    requestStream: false,
    responseStream: false,
    decode: (message: Uint8Array) => message,
    encode: (message: Uint8Array) => [message],
  };
  assert.throws(() => server.duplex(method, () => {}), /one to one/);
  server.unary(method, echo);
  assert.throws(() => server.unary(method, echo), /has a handler already/);
});
