import assert from "node:assert/strict";
import { smallBytes } from "./small_bytes.ts";

Deno.test("small bytes are 0, and nobody else's", () => {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < 5_000; at++) {
    const piece = smallBytes(at % 400);
    assert.equal(piece.length, at % 400);
    assert.ok(piece.every((byte) => byte === 0));
    pieces.push(piece.fill(at % 251 + 1));
  }
  for (const [at, piece] of pieces.entries()) {
    assert.ok(piece.every((byte) => byte === at % 251 + 1));
  }
});
