/**
 * Frames as a client writes them, right or wrong.
 *
 * @module
 */

import { ErrorCode } from "../error_codes.ts";
import { Flag, FrameType, writeFrameHeader, writeUint32 } from "../frames.ts";
import { encodeHeaders } from "../hpack/mod.ts";
import { MAX_FRAME_BYTES } from "../limits.ts";
import { bytes, join, uint32 } from "./octets.ts";

/** What a connection begins with. */
export const PREFACE: Uint8Array = bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** Name and value. */
export type Field = readonly [string, string];

/** A request without anything special. */
export const POST: readonly Field[] = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", "/test"],
];

const { END_STREAM, END_HEADERS, ACK } = Flag;

/** Any frame; its header may say another length than it has. */
export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: ArrayLike<number> = [],
  announcedBytes: number = payload.length,
): Uint8Array {
  const bytes = new Uint8Array(9 + payload.length);
  writeFrameHeader(bytes, 0, announcedBytes, type, flags, streamId);
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

/** DATA: so many bytes, or these; in frames as large as they may be. */
export function data(
  streamId: number,
  content: number | Uint8Array,
  flags = 0,
): Uint8Array {
  const bytes = typeof content === "number" ? new Uint8Array(content) : content;
  const frames: Uint8Array[] = [];
  let at = 0;
  do {
    const piece = bytes.subarray(at, at + MAX_FRAME_BYTES);
    at += piece.length;
    const isLast = at === bytes.length;
    frames.push(frame(FrameType.DATA, isLast ? flags : 0, streamId, piece));
  } while (at < bytes.length);
  return join(...frames);
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
    payload[6 * at] = setting >> 8;
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

/** RST_STREAM, as a client that wants no more. */
export function reset(
  streamId: number,
  code: number = ErrorCode.CANCEL,
): Uint8Array {
  return frame(FrameType.RST_STREAM, 0, streamId, uint32(code));
}

/** GOAWAY, as a polite client ends. */
export function goaway(
  code: number = ErrorCode.NO_ERROR,
  lastStreamId = 0,
  reason = "",
): Uint8Array {
  const payload = join(uint32(lastStreamId), uint32(code), bytes(reason));
  return frame(FrameType.GOAWAY, 0, 0, payload);
}
