/**
 * Frames as a client writes them, right or wrong.
 *
 * @module
 */

import { Flag, FrameType, writeFrameHeader, writeUint32 } from "../frames.ts";
import { encodeHeaders } from "../hpack/mod.ts";

/** What a connection begins with. */
export const PREFACE: Uint8Array = new TextEncoder().encode(
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
);

/** Name and value. */
export type Field = readonly [string, string];

/** A request without anything special. */
export const POST: readonly Field[] = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", "/test"],
];

const { END_STREAM, END_HEADERS, ACK } = Flag;

/** Any frame. */
export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: ArrayLike<number> = [],
): Uint8Array {
  const bytes = new Uint8Array(9 + payload.length);
  writeFrameHeader(bytes, 0, payload.length, type, flags, streamId);
  bytes.set(payload, 9);
  return bytes;
}

/** HEADERS whose block is whole; the request goes on. */
export function headers(
  streamId: number,
  fields: readonly Field[] = POST,
  flags = 0,
): Uint8Array {
  const block = encodeHeaders(fields);
  return frame(FrameType.HEADERS, END_HEADERS | flags, streamId, block);
}

/** HEADERS, and nothing after it. */
export function request(
  streamId: number,
  fields: readonly Field[] = POST,
): Uint8Array {
  return headers(streamId, fields, END_STREAM);
}

/** DATA: so many bytes, or these. */
export function data(
  streamId: number,
  content: number | Uint8Array,
  flags = 0,
): Uint8Array {
  const bytes = typeof content === "number" ? new Uint8Array(content) : content;
  return frame(FrameType.DATA, flags, streamId, bytes);
}

/** The last DATA. */
export function lastData(streamId: number, bytes = 0): Uint8Array {
  return data(streamId, bytes, END_STREAM);
}

/** DATA with padding. */
export function paddedData(
  streamId: number,
  bytes: number,
  padding: number,
): Uint8Array {
  const payload = new Uint8Array(1 + bytes + padding);
  payload[0] = padding;
  return frame(FrameType.DATA, Flag.PADDED, streamId, payload);
}

/** SETTINGS of pairs. */
export function settings(...pairs: (readonly [number, number])[]): Uint8Array {
  const payload = new Uint8Array(6 * pairs.length);
  pairs.forEach(([setting, value], at) => {
    payload[6 * at + 1] = setting;
    writeUint32(payload, 6 * at + 2, value);
  });
  return frame(FrameType.SETTINGS, 0, 0, payload);
}

/** The acknowledgement of ours. */
export function settingsAck(): Uint8Array {
  return frame(FrameType.SETTINGS, ACK, 0);
}

/** PING with the same byte eight times. */
export function ping(byte = 0, flags = 0): Uint8Array {
  return frame(FrameType.PING, flags, 0, new Array(8).fill(byte));
}

/** WINDOW_UPDATE. */
export function windowUpdate(streamId: number, bytes: number): Uint8Array {
  return frame(FrameType.WINDOW_UPDATE, 0, streamId, uint32(bytes));
}

/** RST_STREAM. */
export function reset(streamId: number, code: number): Uint8Array {
  return frame(FrameType.RST_STREAM, 0, streamId, uint32(code));
}

/** GOAWAY. */
export function goAway(lastStreamId: number, code: number): Uint8Array {
  const payload = [...uint32(lastStreamId), ...uint32(code)];
  return frame(FrameType.GOAWAY, 0, 0, payload);
}

/** Puts bytes in a row. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  writeUint32(bytes, 0, value);
  return bytes;
}
