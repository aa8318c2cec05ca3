/**
 * HTTP/2 in bytes. Nothing here stops anybody from writing nonsense.
 *
 * @module
 */

import { bytes, join, uint32 } from "./octets.ts";
import { headerBlock } from "./hpack.ts";

/** The frame types of RFC 9113. */
export const TYPE = {
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

/** The flags of RFC 9113; ACK shares its bit with END_STREAM. */
export const FLAG = {
  END_STREAM: 1,
  ACK: 1,
  END_HEADERS: 4,
  PADDED: 8,
  PRIORITY: 0x20,
} as const;

/** The settings of RFC 9113. */
export const SETTING = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
} as const;

/** What every HTTP/2 client sends first. */
export const PREFACE: Uint8Array = bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** The size of a frame's header. */
export const HEADER_BYTES = 9;
/** The largest window there is. */
export const MAX_WINDOW = 2 ** 31 - 1;
/** The window that connections, and streams without SETTINGS, begin with. */
export const DEFAULT_WINDOW = 65_535;
/** The largest payload of a frame, unless SETTINGS say otherwise. */
export const MAX_PAYLOAD_BYTES = 16_384;

/** Which frame, and what is odd about it. */
export interface FrameOptions {
  readonly flags?: number;
  readonly stream?: number;
  /** What the header says about the payload's length; default: the truth. */
  readonly announcedBytes?: number;
}

/** A frame of any type. */
export function frame(
  type: number,
  options: FrameOptions = {},
  ...payload: Uint8Array[]
): Uint8Array {
  const { flags = 0, stream = 0, announcedBytes } = options;
  const body = join(...payload);
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  view.setUint32(0, (announcedBytes ?? body.length) << 8);
  view.setUint8(3, type);
  view.setUint8(4, flags);
  view.setUint32(5, stream);
  return join(header, body);
}

/** SETTINGS of pairs. */
export function settings(...pairs: [number, number][]): Uint8Array {
  const payload = pairs.map(([id, value]) =>
    join(new Uint8Array([id >> 8, id & 0xff]), uint32(value))
  );
  return frame(TYPE.SETTINGS, {}, ...payload);
}

/** The acknowledgement of the server's SETTINGS. */
export const SETTINGS_ACK: Uint8Array = frame(TYPE.SETTINGS, {
  flags: FLAG.ACK,
});

/** HEADERS with a whole header block. */
export function headers(
  stream: number,
  fields: readonly (readonly [string, string])[],
  flags: number = FLAG.END_HEADERS,
): Uint8Array {
  return frame(TYPE.HEADERS, { stream, flags }, headerBlock(fields));
}

/** DATA; long ones are cut into frames of the usual size. */
export function data(
  stream: number,
  payload: Uint8Array,
  { end = false }: { end?: boolean } = {},
): Uint8Array {
  const frames: Uint8Array[] = [];
  let at = 0;
  do {
    const piece = payload.subarray(at, at + MAX_PAYLOAD_BYTES);
    at += piece.length;
    const flags = end && at === payload.length ? FLAG.END_STREAM : 0;
    frames.push(frame(TYPE.DATA, { stream, flags }, piece));
  } while (at < payload.length);
  return join(...frames);
}

/** RST_STREAM; 8 is CANCEL. */
export function reset(stream: number, code = 8): Uint8Array {
  return frame(TYPE.RST_STREAM, { stream }, uint32(code));
}

/** WINDOW_UPDATE; stream 0 is the connection. */
export function windowUpdate(stream: number, increment: number): Uint8Array {
  return frame(TYPE.WINDOW_UPDATE, { stream }, uint32(increment));
}

/** PING. */
export function ping(flags = 0): Uint8Array {
  return frame(TYPE.PING, { flags }, new Uint8Array(8));
}

/** GOAWAY; code 0 is how a polite client ends. */
export function goaway(code = 0, lastStream = 0, debug = ""): Uint8Array {
  const text = bytes(debug);
  return frame(TYPE.GOAWAY, {}, uint32(lastStream), uint32(code), text);
}
