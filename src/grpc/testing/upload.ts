/**
 * A client that sends a body as fast as it may.
 *
 * @module
 */

import type { FakeStream } from "./fake_stream.ts";

/** The largest DATA frame that clients send unasked. */
const FRAME_BYTES = 16_384;

/** Sends as the window permits; returns what did not fit. */
export function upload(stream: FakeStream, bytes: Uint8Array): Uint8Array {
  let left = bytes;
  while (left.length > 0 && stream.windowBytes > 0) {
    const size = Math.min(FRAME_BYTES, stream.windowBytes);
    const piece = left.subarray(0, size);
    left = left.subarray(piece.length);
    stream.receive(piece);
  }
  return left;
}

/** The same by a client that sends a frame when all of it fits, and not before. */
export function uploadWholeFrames(
  stream: FakeStream,
  bytes: Uint8Array,
): Uint8Array {
  let left = bytes;
  while (left.length > 0) {
    const piece = left.subarray(0, FRAME_BYTES);
    if (piece.length > stream.windowBytes) break;
    left = left.subarray(piece.length);
    stream.receive(piece);
  }
  return left;
}
