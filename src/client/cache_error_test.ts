import assert from "node:assert/strict";
import { status } from "@grpc/grpc-js";
import { asCacheError, noAnswer, plainReason } from "./cache_error.ts";

Deno.test("a call that the server has ended says why, and what to do", () => {
  const details = "Bandwidth exhausted or memory limit exceeded";
  const thrown = { code: status.RESOURCE_EXHAUSTED, details };
  const error = asCacheError(thrown, "remote x: cannot publish the value");
  assert.equal(error.code, "full");
  assert.equal(
    error.message,
    "remote x: cannot publish the value: the server has ended the call: it " +
      "waited too long for the client to send or to read, or is short of " +
      "memory; try again",
  );
  assert.equal(error.cause, thrown);
});

Deno.test("a connection that fails says its last error, without what is around it", () => {
  const around = "No connection established. Last error: Error: connect " +
    "ECONNREFUSED 127.0.0.1:1. Resolution note: none";
  assert.equal(plainReason(around), "connect ECONNREFUSED 127.0.0.1:1");
  const of = (code: string) =>
    plainReason(around.replace(/ECONNREFUSED [\d.:]+/, `${code} /run/a b/s`));
  assert.equal(of("ENOENT"), "there is no socket /run/a b/s (ENOENT)");
  assert.equal(
    of("ECONNREFUSED"),
    "no server answers at the socket /run/a b/s (ECONNREFUSED)",
  );
  assert.equal(
    of("EACCES"),
    "this user may not connect to the socket /run/a b/s (EACCES)",
  );
  assert.equal(plainReason("undefined"), "no connection");
  const error = asCacheError(noAnswer("no answer"), "remote x: cannot ask");
  assert.equal(error.code, "unavailable");
  assert.equal(error.message, "remote x: cannot ask: no answer");
});

Deno.test("a connection that ends at once is none of a gRPC server, before the call or in it", () => {
  for (
    const details of [
      "Received RST_STREAM with code 0 (Call ended without gRPC status)",
      "Failed to start HTTP/2 stream with error The session has been destroyed",
    ]
  ) {
    const error = asCacheError({ code: status.INTERNAL, details }, "remote x");
    assert.equal(error.code, "unavailable");
    assert.match(error.message, /^remote x: what answers there ends the call/);
  }
});
