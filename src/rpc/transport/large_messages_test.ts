import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { StreamDecoder } from "@grpc/grpc-js/build/src/stream-decoder.js";
import {
  assembleInPlace,
  begunMessage,
  type MessageDecoder,
} from "./large_messages.ts";

/** From then on messages are put together in place, as the transport does. */
const BEGUN_BYTES = 100;

function framed(size: number, flag = 0): Buffer {
  const message = Buffer.alloc(5 + size).map((_, at) => (at * 7 + size) % 251);
  message[0] = flag;
  new DataView(message.buffer).setUint32(1, size);
  return message as Buffer;
}

/** What comes out when bytes go in by pieces of such sizes, in turn. */
function decoded(bytes: Buffer, pieces: readonly number[]): Uint8Array[] {
  const decoder = new StreamDecoder(-1) as unknown as MessageDecoder;
  const messages: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const end = at + pieces[turn % pieces.length]!;
    messages.push(...decoder.write!(bytes.subarray(at, end)));
    const begun = begunMessage(decoder);
    if (begun && begun.comeBytes >= BEGUN_BYTES) {
      assembleInPlace(decoder);
      if (begun.comeBytes > BEGUN_BYTES + 2 * Math.max(...pieces)) {
        assert.deepEqual(
          decoder.readPartialMessage,
          [],
          "nothing is kept twice",
        );
      }
    }
    at = end;
  }
  assert.equal(begunMessage(decoder), undefined);
  return messages.map((message) => new Uint8Array(message));
}

Deno.test("messages that are put together in place are those of grpc-js", () => {
  const messages = [3_000, 0, 1, 101, 2_000, 99, 100_000, 5].map((size, i) =>
    framed(size, i % 2)
  );
  const bytes = Buffer.concat(messages);
  const expected = messages.map((message) => new Uint8Array(message));
  for (
    const pieces of [
      ...[[1], [7], [100], [105], [2_005], [16_384], [bytes.length]],
      ...[[3_004, 1, 5], [1, 500, 3], [3_005, 5, 6, 106]],
    ]
  ) {
    assert.deepEqual(decoded(bytes, pieces), expected, `pieces of ${pieces}`);
  }
});

Deno.test("a message that was put together in place shares its memory with none", () => {
  const decoder = new StreamDecoder(-1) as unknown as MessageDecoder;
  const bytes = framed(1_000);
  decoder.write!(bytes.subarray(0, 500));
  assembleInPlace(decoder);
  const [message] = decoder.write!(bytes.subarray(500));
  assert.equal(message!.buffer.byteLength, bytes.length);
});

Deno.test("a decoder of another grpc-js is left alone", () => {
  const decoder: MessageDecoder = { readState: 2, readMessageSize: 10 };
  assembleInPlace(decoder);
  assert.equal(decoder.write, undefined);
});
