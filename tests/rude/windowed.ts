/**
 * Sends frames as flow control allows, as honest clients do.
 *
 * @module
 */

import { Flag, FRAME_HEADER_BYTES, FrameType } from "../../src/http2/frames.ts";
import { data } from "../../src/http2/testing/frame_bytes.ts";
import type { RawClient } from "../support/raw_client.ts";

/**
 * Sends the frames of one call; DATA is cut where the stream's window ends, and
 * goes on when it opens. Other frames that come meanwhile are dropped.
 */
export async function sendWindowed(
  client: RawClient,
  frames: Uint8Array,
): Promise<void> {
  for (let at = 0; at < frames.length;) {
    const view = new DataView(frames.buffer, frames.byteOffset + at);
    const end = at + FRAME_HEADER_BYTES + (view.getUint32(0) >>> 8);
    const [type, flags] = [view.getUint8(3), view.getUint8(4)];
    const stream = view.getUint32(5);
    if (type !== FrameType.DATA || flags & Flag.PADDED) {
      await client.send(frames.subarray(at, end));
      at = end;
      continue;
    }
    at += FRAME_HEADER_BYTES;
    do {
      const window = client.received.windowOf(stream);
      const piece = frames.subarray(at, Math.min(end, at + window));
      at += piece.length;
      const last = at === end ? flags : 0;
      await client.sendData(stream, data(stream, piece, last), piece.length);
      while (at < end && client.received.windowOf(stream) === 0) {
        if (!await client.read()) throw new Error("the server has closed");
      }
    } while (at < end);
  }
}
