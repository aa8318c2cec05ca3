import assert from "node:assert/strict";
import { exhausted } from "../grpc/retry_info.ts";
import { retryDelayMs } from "./retry_info.ts";

function thrownWith(bytes: Uint8Array | undefined): Error {
  return Object.assign(new Error("full"), { more: bytes });
}

Deno.test("the time that a server names is read as it was written", () => {
  for (const ms of [0, 1, 500, 2_000, 61_250]) {
    const { trailers } = exhausted("who has too much", ms);
    const bytes = trailers!.get("grpc-status-details-bin");
    assert.equal(retryDelayMs(thrownWith(bytes as Uint8Array)), ms);
  }
});

Deno.test("who says nothing of it, or garbage, names no time", () => {
  assert.equal(retryDelayMs(undefined), undefined);
  assert.equal(retryDelayMs(new Error("full")), undefined);
  assert.equal(retryDelayMs(thrownWith(undefined)), undefined);
  for (const bytes of [[], [0x1a], [0x1a, 0xff], [0x1a, 2, 0x0a, 0], [7, 7]]) {
    assert.equal(retryDelayMs(thrownWith(Uint8Array.from(bytes))), undefined);
  }
});
