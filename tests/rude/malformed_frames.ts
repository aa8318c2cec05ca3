/**
 * Frames that RFC 9113 forbids, and what it wants to happen then.
 *
 * @module
 */

import { Flag, FrameType } from "../../src/http2/frames.ts";
import { encodeHeaders } from "../../src/http2/hpack/mod.ts";
import { stringOf } from "../../src/http2/hpack/testing/model_encoder.ts";
import { MAX_FRAME_BYTES, MAX_WINDOW_BYTES } from "../../src/http2/limits.ts";
import { Setting } from "../../src/http2/settings.ts";
import {
  data,
  frame,
  goaway,
  headers,
  ping,
  reset,
  settings,
  settingsAck,
  windowUpdate,
} from "../../src/http2/testing/frame_bytes.ts";
import { hex, join, uint32 } from "../../src/http2/testing/octets.ts";
import { call, callFields, GET, getRequest } from "./messages.ts";

/**
 * What happens: nothing, or the end of the stream or of the connection, with an
 * error of RFC 9113.
 */
export type Verdict =
  | "ignored"
  | `stream ${ErrorName}`
  | `connection ${ErrorName}`;

/** The errors that occur here, by their codes. */
export const ERRORS = {
  PROTOCOL: 1,
  FLOW_CONTROL: 3,
  STREAM_CLOSED: 5,
  FRAME_SIZE: 6,
  COMPRESSION: 9,
} as const;

/** One of their names. */
export type ErrorName = keyof typeof ERRORS;

/** A kind of malformed frame. */
export interface Malformation {
  readonly name: string;
  readonly verdict: Verdict;
  /** What is sent after the greeting. */
  readonly sent: Uint8Array;
}

const BLOCK = encodeHeaders(callFields(GET));
const OPEN = headers(1, callFields(GET));
const END = Flag.END_HEADERS;

function raw(
  type: number,
  stream: number,
  payload: string | Uint8Array,
  flags = 0,
): Uint8Array {
  const content = typeof payload === "string" ? hex(payload) : payload;
  return frame(type, flags, stream, content);
}

function block(content: Uint8Array): Uint8Array {
  return raw(FrameType.HEADERS, 1, content, END);
}

const padded = new Uint8Array([255, 1, 2, 3]);
const large = new Uint8Array(MAX_FRAME_BYTES + 1);

function table(
  verdict: Verdict,
  kinds: Record<string, Uint8Array>,
): Malformation[] {
  return Object.entries(kinds).map(([name, sent]) => ({ name, verdict, sent }));
}

/** All kinds. */
export const MALFORMATIONS: readonly Malformation[] = [
  ...table("connection PROTOCOL", {
    "HEADERS on stream 0": raw(FrameType.HEADERS, 0, BLOCK, END),
    "HEADERS on an even stream": raw(FrameType.HEADERS, 2, BLOCK, END),
    "HEADERS with more padding than payload": raw(
      FrameType.HEADERS,
      1,
      padded,
      END | Flag.PADDED,
    ),
    "HEADERS broken off by a PING": join(
      raw(FrameType.HEADERS, 1, BLOCK.subarray(0, 9)),
      ping(),
    ),
    "HEADERS broken off by HEADERS of another stream": join(
      raw(FrameType.HEADERS, 1, BLOCK.subarray(0, 9)),
      headers(3, callFields(GET)),
    ),
    "DATA on stream 0": data(0, new Uint8Array(9)),
    "DATA on an idle stream": data(7, new Uint8Array(9)),
    "DATA with more padding than payload": join(
      OPEN,
      raw(FrameType.DATA, 1, padded, Flag.PADDED),
    ),
    "CONTINUATION without HEADERS": raw(FrameType.CONTINUATION, 1, BLOCK, END),
    "CONTINUATION on stream 0": raw(FrameType.CONTINUATION, 0, BLOCK, END),
    "CONTINUATION of another stream": join(
      raw(FrameType.HEADERS, 1, BLOCK.subarray(0, 9)),
      raw(FrameType.CONTINUATION, 3, BLOCK.subarray(9), END),
    ),
    "CONTINUATION after the end of the headers": join(
      OPEN,
      raw(FrameType.CONTINUATION, 1, BLOCK, END),
    ),
    "RST_STREAM on stream 0": reset(0),
    "RST_STREAM on an idle stream": reset(9),
    "SETTINGS on a stream": raw(FrameType.SETTINGS, 1, ""),
    "SETTINGS with ENABLE_PUSH 2": settings([Setting.ENABLE_PUSH, 2]),
    "SETTINGS with MAX_FRAME_SIZE 0": settings([Setting.MAX_FRAME_SIZE, 0]),
    "SETTINGS with MAX_FRAME_SIZE 2^24": settings([
      Setting.MAX_FRAME_SIZE,
      2 ** 24,
    ]),
    "PUSH_PROMISE from a client": raw(
      FrameType.PUSH_PROMISE,
      1,
      join(uint32(2), BLOCK),
      END,
    ),
    "PING on a stream": raw(FrameType.PING, 1, "0000000000000000"),
    "GOAWAY on a stream": frame(FrameType.GOAWAY, 0, 1, goaway().subarray(9)),
    "WINDOW_UPDATE of 0 on the connection": windowUpdate(0, 0),
    "WINDOW_UPDATE on an idle stream": windowUpdate(9, 1),
    "HEADERS on a stream below the last one": join(
      headers(5, callFields(GET)),
      headers(3, callFields(GET)),
    ),
    "PRIORITY on stream 0": raw(FrameType.PRIORITY, 0, "00000000 10"),
  }),
  ...table("connection FRAME_SIZE", {
    "HEADERS too short for its priority": raw(
      FrameType.HEADERS,
      1,
      "00",
      END | Flag.PRIORITY,
    ),
    "DATA padded, without payload": join(
      OPEN,
      raw(FrameType.DATA, 1, "", Flag.PADDED),
    ),
    "DATA larger than MAX_FRAME_SIZE": join(
      OPEN,
      raw(FrameType.DATA, 1, large),
    ),
    "a frame that announces 16 MiB": frame(
      FrameType.DATA,
      0,
      1,
      new Uint8Array(20_000),
      2 ** 24 - 1,
    ),
    "RST_STREAM of 3 bytes": join(OPEN, raw(FrameType.RST_STREAM, 1, "000000")),
    "SETTINGS of 5 bytes": raw(FrameType.SETTINGS, 0, "0001000000"),
    "SETTINGS acknowledged, with a payload": raw(
      FrameType.SETTINGS,
      0,
      "000100000000",
      Flag.ACK,
    ),
    "PING of 7 bytes": raw(FrameType.PING, 0, "00000000000000"),
    "GOAWAY of 7 bytes": raw(FrameType.GOAWAY, 0, "00000000000000"),
    "WINDOW_UPDATE of 3 bytes": raw(FrameType.WINDOW_UPDATE, 0, "000001"),
  }),
  ...table("connection FLOW_CONTROL", {
    "SETTINGS with a window of 2^31": settings([
      Setting.INITIAL_WINDOW_SIZE,
      2 ** 31,
    ]),
    "SETTINGS that overflow the window of a stream": join(
      OPEN,
      windowUpdate(1, MAX_WINDOW_BYTES - 65_535),
      settings([Setting.INITIAL_WINDOW_SIZE, MAX_WINDOW_BYTES]),
    ),
    "WINDOW_UPDATE beyond 2^31 on the connection": windowUpdate(
      0,
      MAX_WINDOW_BYTES,
    ),
  }),
  ...table("connection COMPRESSION", {
    "HEADERS with an index beyond the table": block(hex("ff ff 7f")),
    "HEADERS with index 0": block(hex("80")),
    "HEADERS with an integer without end": block(
      hex("ff ffffffffffffffffffff"),
    ),
    "HEADERS with a string longer than the block": block(hex("00 7f 61")),
    "HEADERS with bad Huffman code": block(
      join(hex("00"), stringOf("a"), hex("84 ffffffff")),
    ),
    "HEADERS with a table larger than allowed": block(hex("3f ffffff7f")),
    "HEADERS with a table size after a field": block(hex("82 20")),
  }),
  ...table("stream PROTOCOL", {
    "HEADERS that depend on themselves": join(
      raw(
        FrameType.HEADERS,
        1,
        join(uint32(1), hex("10"), BLOCK),
        END | Flag.PRIORITY,
      ),
    ),
    "WINDOW_UPDATE of 0 on a stream": join(OPEN, windowUpdate(1, 0)),
    "trailers that do not end the stream": join(OPEN, OPEN),
    "PRIORITY on itself": join(OPEN, raw(FrameType.PRIORITY, 1, "00000001 10")),
  }),
  ...table("stream FRAME_SIZE", {
    "PRIORITY of 4 bytes": join(OPEN, raw(FrameType.PRIORITY, 1, "00000000")),
  }),
  ...table("stream FLOW_CONTROL", {
    "WINDOW_UPDATE beyond 2^31 on a stream": join(
      OPEN,
      windowUpdate(1, MAX_WINDOW_BYTES),
    ),
  }),
  ...table("stream STREAM_CLOSED", {
    "DATA after the end of the stream": join(
      call(1, GET, getRequest("a", "b")),
      data(1, new Uint8Array(9)),
    ),
    "HEADERS after the end of the stream": join(
      call(1, GET, getRequest("a", "b")),
      headers(1, callFields(GET)),
    ),
  }),
  ...table("ignored", {
    "SETTINGS acknowledged twice": join(settingsAck(), settingsAck()),
    "a frame of an unknown type": raw(0xbe, 1, "0badcafe", 0xff),
    "an unknown setting": settings([0xbeef, 2 ** 32 - 1]),
    "PING with unknown flags": raw(FrameType.PING, 0, "0000000000000000", 0xfe),
    "PING that was never asked for, acknowledged": ping(0, Flag.ACK),
    "PRIORITY on an idle stream": raw(FrameType.PRIORITY, 99, "00000000 10"),
    "the reserved bit of a stream id": frame(
      FrameType.WINDOW_UPDATE,
      0,
      2 ** 31,
      uint32(1),
    ),
  }),
];
