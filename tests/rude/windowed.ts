/**
 * Sends frames as flow control allows, as honest clients do.
 *
 * @module
 */

import { DEFAULT_WINDOW, FLAG, frame, HEADER_BYTES, TYPE } from "./frames.ts";
import type { RawClient } from "./raw_client.ts";

/**
 * Sends the frames of one call; DATA is cut where the stream's window ends, and
 * goes on when it opens. Other frames that come meanwhile are dropped.
 */
export async function sendWindowed(
  client: RawClient,
  frames: Uint8Array,
): Promise<void> {
  let window = DEFAULT_WINDOW;
  for (let at = 0; at < frames.length;) {
    const view = new DataView(frames.buffer, frames.byteOffset + at);
    const end = at + HEADER_BYTES + (view.getUint32(0) >>> 8);
    const [type, flags] = [view.getUint8(3), view.getUint8(4)];
    const stream = view.getUint32(5);
    if (type !== TYPE.DATA || flags & FLAG.PADDED) {
      await client.send(frames.subarray(at, end));
      at = end;
      continue;
    }
    at += HEADER_BYTES;
    do {
      const piece = frames.subarray(at, Math.min(end, at + window));
      at += piece.length;
      window -= piece.length;
      const isLast = at === end;
      await client.send(
        frame(type, { stream, flags: isLast ? flags : 0 }, piece),
      );
      if (!isLast) window += await opened(client, stream);
    } while (at < end);
  }
}

/** What the stream's window is opened by; nothing comes where the call ended. */
async function opened(client: RawClient, stream: number): Promise<number> {
  const update = await client.until((one) =>
    one.type === TYPE.WINDOW_UPDATE && one.stream === stream
  );
  if (!update) throw new Error("the server has closed");
  return new DataView(update.payload.buffer).getUint32(0);
}
