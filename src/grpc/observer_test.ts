import assert from "node:assert/strict";
import { Status, type StatusCode, StatusError } from "./status.ts";
import { bytes, settled, TestServer } from "./testing/test_server.ts";

/** What a server's observers were told. */
function observed() {
  const told: [path: string, code: StatusCode, tookMs: number][] = [];
  const observe = (path: string) => ({
    ended: (code: StatusCode, tookMs: number) =>
      void told.push([path, code, tookMs]),
  });
  return { told, observe };
}

const UNARY = "/test.Test/Unary";
const STREAM = "/test.Test/ServerStream";

Deno.test("each call is told of once, with the status that was sent", async () => {
  const { told, observe } = observed();
  let fails: unknown;
  const server = new TestServer({
    observe,
    unary: (request) => {
      server.clock.advance(5);
      if (fails) throw fails;
      return request;
    },
    serverStream: async (request, _, sender) => {
      await sender.send(request);
    },
  });
  const call = (name: string) => {
    const stream = server.call(name, [bytes("")]);
    stream.flush();
    return stream;
  };
  call("Unary");
  fails = new StatusError(Status.NOT_FOUND, "no");
  call("Unary");
  fails = new Error("secret");
  call("Unary");
  call("Nothing");
  server.call("Unary", [], { fields: ["grpc-timeout", "0S"] }).flush();
  const stream = call("ServerStream");
  await settled();
  stream.flush();
  await server.assertQuiet();
  assert.deepEqual(told, [
    [UNARY, Status.OK, 5],
    [UNARY, Status.NOT_FOUND, 5],
    [UNARY, Status.INTERNAL, 5],
    ["", Status.UNIMPLEMENTED, 0],
    [UNARY, Status.DEADLINE_EXCEEDED, 0],
    [STREAM, Status.OK, 0],
  ]);
});

Deno.test("it is told which call has ended, and of which a handler failed", async () => {
  const places: unknown[] = [];
  const server = new TestServer({
    observe: () => ({
      ended: (_code, _tookMs, { id, connection: { peer } }) =>
        void places.push([id, peer]),
    }),
    unary: () => {
      throw new Error("secret");
    },
  });
  const stream = server.call("Unary", [bytes("")]);
  stream.flush();
  await server.assertQuiet();
  assert.deepEqual(places, [[stream.id, stream.connection.peer]]);
});

Deno.test("calls that end without an answer are told of once", async () => {
  const { told, observe } = observed();
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  const server = new TestServer({
    observe,
    unary: () => promise,
    serverStream: async (request, _, sender) => {
      await sender.send(request);
    },
  });
  const lost = server.call("Unary", [bytes("")]);
  server.clock.advance(7);
  lost.lose();
  const fields = ["grpc-timeout", "1S"];
  server.call("Unary", [bytes("")], { fields });
  // Its client does not read: there is no use in a status.
  server.call("ServerStream", [bytes("")], { fields });
  await settled();
  server.clock.advance(1_000);
  await settled();
  resolve(bytes(""));
  await settled();
  assert.deepEqual(told, [
    [UNARY, Status.CANCELLED, 7],
    [UNARY, Status.DEADLINE_EXCEEDED, 1_000],
    [STREAM, Status.DEADLINE_EXCEEDED, 1_000],
  ]);
});

Deno.test("who hears of a call's head and stands around its handler knows it by its place", async () => {
  const told: unknown[] = [];
  const server = new TestServer({
    observe: () => ({
      began: (fields, place) => void told.push(["began", fields, place]),
      ended: (_code, _tookMs, place) => void told.push(["ended", place]),
    }),
    around: (handler) => (request, call, sender) => {
      told.push(["around", call.place]);
      return handler(request, call, sender);
    },
    unary: (request) => request,
  });
  const fields = ["traceparent", "00-1-2-01"];
  const stream = server.call("Unary", [bytes("")], { fields });
  stream.flush();
  // Calls that no handler takes begin nothing that would not end.
  server.call("Nothing", [bytes("")]).flush();
  await server.assertQuiet();
  const [began, around, ended] = told as [string, unknown, unknown][];
  assert.equal(began![0], "began");
  assert.deepEqual((began![1] as string[]).slice(-2), fields);
  assert.ok(began![2] === stream && around![1] === stream);
  assert.deepEqual(ended, ["ended", stream]);
});
