import assert from "node:assert/strict";
import { join } from "../http2/testing/octets.ts";
import { frameMessage } from "./framing.ts";
import { bytes } from "./testing/test_server.ts";

Deno.test("a message goes behind its prefix, and its parts by reference", () => {
  const parts = [bytes("ab"), bytes("cde")];
  const framed = frameMessage(parts);
  assert.deepEqual(
    join(...framed),
    new Uint8Array([0, 0, 0, 0, 5, 97, 98, 99, 100, 101]),
  );
  assert.equal(framed[1], parts[0]);
  assert.equal(framed[2], parts[1]);
  assert.deepEqual(
    join(...frameMessage([new Uint8Array(0x010203)])).slice(0, 5),
    new Uint8Array([0, 0, 1, 2, 3]),
  );
});

Deno.test("the empty message is always the same bytes", () => {
  assert.equal(frameMessage([]), frameMessage([new Uint8Array(0)]));
  assert.deepEqual(join(...frameMessage([])), new Uint8Array(5));
});
