/**
 * The frames of RFC 9113, section 6: their types, their flags, and how the small
 * ones are written.
 *
 * @module
 */

import { ConnectionError, ErrorCode } from "./error_codes.ts";

/** Frame types. */
export const FrameType = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

/** Frame flags; which ones a type has is in its section. */
export const Flag = {
  END_STREAM: 0x1,
  ACK: 0x1,
  END_HEADERS: 0x4,
  PADDED: 0x8,
  PRIORITY: 0x20,
} as const;

/** Length, type, flags, stream. */
export const FRAME_HEADER_BYTES = 9;

/** Writes a frame's header; gives where its payload begins. */
export function writeFrameHeader(
  into: Uint8Array,
  at: number,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): number {
  into[at] = length >>> 16;
  into[at + 1] = length >>> 8;
  into[at + 2] = length;
  into[at + 3] = type;
  into[at + 4] = flags;
  return writeUint32(into, at + 5, streamId);
}

/** Writes 32 bits; gives where they end. */
export function writeUint32(
  into: Uint8Array,
  at: number,
  value: number,
): number {
  into[at] = value >>> 24;
  into[at + 1] = value >>> 16;
  into[at + 2] = value >>> 8;
  into[at + 3] = value;
  return at + 4;
}

/** Reads 32 bits. */
export function readUint32(from: Uint8Array, at: number): number {
  return ((from[at]! << 24) | (from[at + 1]! << 16) | (from[at + 2]! << 8) |
    from[at + 3]!) >>> 0;
}

/** Reads 31 bits: a stream id, or an increment; the reserved bit is ignored. */
export function readUint31(from: Uint8Array, at: number): number {
  return readUint32(from, at) & 0x7fffffff;
}

/** Refuses a payload of another length than its type has. */
export function checkLength(
  what: string,
  payload: Uint8Array,
  length: number,
): void {
  if (payload.length === length) return;
  throw new ConnectionError(
    ErrorCode.FRAME_SIZE_ERROR,
    `${what} of ${payload.length} bytes`,
  );
}
