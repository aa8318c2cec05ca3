import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { framed, MessageFrames } from "./message_frames.ts";

Deno.test("messages are the same however their bytes are cut", () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 6 });
  const cuts = fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 40 });
  fc.assert(fc.property(messages, cuts, (messages, cuts) => {
    const bytes = Buffer.concat(messages.map(framed));
    const frames = new MessageFrames();
    const came: Uint8Array[] = [];
    let at = 0;
    for (const length of [...cuts, bytes.length]) {
      came.push(...frames.add(bytes.subarray(at, at + length)));
      at += length;
    }
    const plain = (all: readonly Uint8Array[]) => all.map((each) => [...each]);
    assert.deepEqual(plain(came), plain(messages));
  }));
});

Deno.test("a compressed message is refused", () => {
  const bytes = framed(Uint8Array.of(1));
  bytes[0] = 1;
  assert.throws(() => new MessageFrames().add(bytes), /compressed/);
});
