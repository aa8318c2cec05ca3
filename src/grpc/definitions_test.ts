import assert from "node:assert/strict";
import { methodOf } from "./definitions.ts";
import { Status, StatusError } from "./status.ts";
import { bytes, text } from "./testing/test_server.ts";

const definition = {
  path: "/grpc.health.v1.Health/Check",
  requestStream: false,
  responseStream: false,
  requestDeserialize: (request: Uint8Array) => {
    if (request.length === 0) throw new RangeError("index out of range");
    return { view: request };
  },
  responseSerialize: (response: string) => bytes(response),
};

Deno.test("a definition's method keeps what it is, and sends what it serializes", () => {
  const method = methodOf(definition);
  assert.equal(method.path, definition.path);
  assert.equal(method.requestStream, false);
  assert.equal(method.responseStream, false);
  assert.deepEqual(method.encode("ok").map(text), ["ok"]);
});

Deno.test("a request is read from a copy, unless its buffer is its own", () => {
  const { decode } = methodOf(definition);
  const message = bytes("a");
  assert.equal(decode(message, true).view, message);
  const { view } = decode(message, false);
  message.fill(0);
  assert.deepEqual(text(view), "a");
});

Deno.test("what a definition cannot read is INVALID_ARGUMENT", () => {
  assert.throws(
    () => methodOf(definition).decode(bytes(""), false),
    (error) =>
      error instanceof StatusError &&
      error.code === Status.INVALID_ARGUMENT &&
      error.message === "malformed request: index out of range",
  );
  const status = new StatusError(Status.OUT_OF_RANGE, "too far");
  const strict = methodOf({
    ...definition,
    requestDeserialize: () => {
      throw status;
    },
  });
  assert.throws(() => strict.decode(bytes(""), false), status);
});
