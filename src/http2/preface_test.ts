/** The first bytes, however they come. */

import assert from "node:assert/strict";
import { type Opening, Preface } from "./preface.ts";
import { PREFACE } from "./testing/frame_bytes.ts";

const encoder = new TextEncoder();

const OPENINGS: readonly (readonly [Uint8Array, Opening])[] = [
  [PREFACE, "http2"],
  [encoder.encode("PRI * HTTP/2.0\r\n\r\nXX"), "other"],
  [encoder.encode("PRI * HTTP"), "unknown"],
  [encoder.encode("GET / HTTP/1.1\r\n\r\n"), "http1"],
  [encoder.encode("POST /x HTTP/1.1\r\n"), "http1"],
  [encoder.encode("PUT / HTTP/1.1\r\n"), "http1"],
  [encoder.encode("GE"), "unknown"],
  [encoder.encode("GEX / HTTP"), "other"],
  [encoder.encode("get / HTTP/1.1"), "other"],
  [Uint8Array.of(22, 3, 1, 2, 0), "tls"],
  [Uint8Array.of(0, 0, 0, 4), "other"],
];

for (const [bytes, expected] of OPENINGS) {
  const name = JSON.stringify(new TextDecoder().decode(bytes));
  Deno.test(`${name} is ${expected}, whole or byte by byte`, () => {
    assert.equal(new Preface().take(bytes).opening, expected);
    const preface = new Preface();
    let opening: Opening = "unknown";
    for (let at = 0; at < bytes.length && opening === "unknown"; at++) {
      ({ opening } = preface.take(bytes.subarray(at, at + 1)));
    }
    assert.equal(opening, expected);
  });
}

Deno.test("what follows the preface in its read is left", () => {
  const bytes = new Uint8Array(PREFACE.length + 9);
  bytes.set(PREFACE);
  const { at } = new Preface().take(bytes);
  assert.equal(at, PREFACE.length);
});
