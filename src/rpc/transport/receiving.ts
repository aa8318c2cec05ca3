/**
 * Feeds nghttp2 what clients send.
 *
 * Up to a megabyte of frames can lie in one read, and Deno makes its objects
 * for all of them before the first `stream` event: a client that opened and
 * reset 160,000 streams at once made 1.2 GB. So packets go in small pieces, and
 * the streams are counted after each.
 *
 * What nghttp2 finds it tells JavaScript at once, which can come back with the
 * next packet while nghttp2 is still at this one. It must not run within itself
 * (denoland/deno pull request 36808): such a packet waits until it has returned.
 *
 * @module
 */
import type { Connection } from "./connection.ts";
import { sessionStreams } from "./internals.ts";
import { DataFrames } from "./data_frames.ts";
import { RECEIVE_PIECE_BYTES } from "./limits.ts";

/**
 * Takes over the receiving of a connection.
 *
 * @param connection The connection; its handle must be known.
 * @param limit How many streams it may have, and what happens at more.
 * @returns Whether this Deno lets us count.
 */
export function guardReceive(
  connection: Connection,
  limit: {
    maxTrackedStreams: number;
    onFlood: () => void;
    onShreds: (() => void) | undefined;
  },
): boolean {
  const { handle, session } = connection;
  if (handle === undefined) return false;
  const receive = handle.receive;
  const streams = sessionStreams(session);

  const frames = new DataFrames();
  const feed = (piece: Uint8Array): boolean => {
    if (limit.onShreds !== undefined && frames.shredded(piece)) {
      limit.onShreds();
      return false;
    }
    connection.native(() => receive.call(handle, piece));
    if (streams === undefined || streams.size <= limit.maxTrackedStreams) {
      return true;
    }
    limit.onFlood();
    return false;
  };
  const deliver = (data: Uint8Array): void => {
    for (let offset = 0; offset < data.byteLength && !connection.gone;) {
      const end = Math.min(offset + RECEIVE_PIECE_BYTES, data.byteLength);
      const whole = offset === 0 && end === data.byteLength;
      if (!feed(whole ? data : data.subarray(offset, end))) return;
      offset = end;
    }
  };

  const waiting: Uint8Array[] = [];
  const deliverWaiting = (): void => {
    while (waiting.length > 0 && !connection.insideNative) {
      deliver(waiting.shift()!);
    }
  };
  handle.receive = (data) => {
    if (waiting.length === 0 && !connection.insideNative) {
      deliver(data);
      deliverWaiting();
      return;
    }
    // A copy: the socket may read its next packet into the same memory.
    waiting.push(data.slice());
    setImmediate(deliverWaiting);
  };
  return streams !== undefined;
}
