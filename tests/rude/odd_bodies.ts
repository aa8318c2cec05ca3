/**
 * Odd bodies, namespaces, keys and ids.
 *
 * @module
 */

import { gzipSync } from "node:zlib";
import { Flag, FrameType } from "../../src/http2/frames.ts";
import { encodeHeaders } from "../../src/http2/hpack/mod.ts";
import { data, frame, headers } from "../../src/http2/testing/frame_bytes.ts";
import { bytes, hex, join } from "../../src/http2/testing/octets.ts";
import { NS } from "./arena.ts";
import {
  call,
  callFields,
  type Fields,
  GET,
  getRequest,
  HEARTBEAT,
  idRequest,
  message,
  SET,
} from "./messages.ts";
import { expect, type OddCall, PLAIN, STATUS } from "./odd_calls.ts";

const { OK, INVALID_ARGUMENT, EXHAUSTED, UNIMPLEMENTED, INTERNAL } = STATUS;
const GZIPPED = new Uint8Array(gzipSync(PLAIN));
const GZIP: Fields = [["grpc-encoding", "gzip"]];
const first = callFields(GET);

/** A call with exactly these bytes as its body. */
function withBody(body: Uint8Array, more: Fields = []): Uint8Array {
  return join(
    headers(1, callFields(GET, more)),
    data(1, body, Flag.END_STREAM),
  );
}

function get(namespace: string, key: Uint8Array | string): Uint8Array {
  return call(1, GET, getRequest(namespace, key));
}

/** Bodies whose framing lies. */
export const ODD_BODIES: readonly OddCall[] = [
  // No message or two for a method that takes one.
  ...expect(UNIMPLEMENTED, {
    "no body": withBody(new Uint8Array()),
    "HEADERS that end the stream": headers(
      1,
      first,
      Flag.END_STREAM,
    ),
    "less announced than sent": withBody(
      message(PLAIN, { announcedBytes: PLAIN.length - 1 }),
    ),
    "two messages": withBody(join(message(PLAIN), message(PLAIN))),
  }),
  // Encodings that the server does not know, which is all of them.
  ...expect(UNIMPLEMENTED, {
    "gzip": withBody(message(GZIPPED, { flag: 1 }), GZIP),
    "gzip that is none": withBody(message(PLAIN, { flag: 1 }), GZIP),
    "gzip, cut short": withBody(
      message(hex("1f8b0800000000000003 4b"), { flag: 1 }),
      GZIP,
    ),
    "gzip that is not used": withBody(message(PLAIN), GZIP),
    "deflate that is none": withBody(message(PLAIN, { flag: 1 }), [
      ["grpc-encoding", "deflate"],
    ]),
    "an encoding that nobody knows": withBody(message(PLAIN, { flag: 1 }), [
      ["grpc-encoding", "rude"],
    ]),
  }),
  ...expect(INTERNAL, {
    "a prefix cut after 4 bytes": withBody(new Uint8Array(4)),
    "more announced than sent": withBody(
      message(PLAIN, { announcedBytes: PLAIN.length + 1 }),
    ),
    "HTTP/1 in the body": withBody(bytes("GET / HTTP/1.1\r\n\r\n")),
    "a flag that is neither 0 nor 1": withBody(message(PLAIN, { flag: 2 })),
    "the compressed flag without an encoding": withBody(
      message(PLAIN, { flag: 1 }),
    ),
    "the compressed flag with identity": withBody(message(PLAIN, { flag: 1 }), [
      ["grpc-encoding", "identity"],
    ]),
    "gzip without an encoding": withBody(message(GZIPPED, { flag: 1 })),
  }),
  ...expect(EXHAUSTED, {
    "4 GiB announced": withBody(
      message(PLAIN, { announcedBytes: 2 ** 32 - 1 }),
    ),
    "64 MiB and a byte announced": withBody(
      message(PLAIN, { announcedBytes: 64 * 1024 * 1024 + 1 }),
    ),
  }),
  ...expect(OK, {
    "padded DATA": join(
      headers(1, first),
      frame(
        FrameType.DATA,
        Flag.PADDED | Flag.END_STREAM,
        1,
        join(new Uint8Array([3]), message(PLAIN), new Uint8Array(3)),
      ),
    ),
    "trailers after the body": join(
      headers(1, first),
      data(1, message(PLAIN)),
      frame(
        FrameType.HEADERS,
        Flag.END_HEADERS | Flag.END_STREAM,
        1,
        encodeHeaders([["x-trailer", "1"]]),
      ),
    ),
  }),
];

const LONG = "n".repeat(255);

/** Namespaces and keys at their limits, and beyond. */
export const ODD_NAMES: readonly OddCall[] = [
  ...expect(OK, {
    "an empty key": get(NS, ""),
    "a key of 64 KiB": get(NS, new Uint8Array(65_536)),
    "a key of all bytes": get(
      NS,
      Uint8Array.from({ length: 256 }, (_, i) => i),
    ),
    "a namespace of 255 bytes": get(LONG, "k"),
  }),
  ...expect(INVALID_ARGUMENT, {
    "a key of 64 KiB and a byte": get(NS, new Uint8Array(65_537)),
    "a key of 900 KB": get(NS, new Uint8Array(900_000)),
    "an empty namespace": get("", "k"),
    "a namespace of 256 bytes": get(`${LONG}n`, "k"),
    "a namespace of 900 KB": get("n".repeat(900_000), "k"),
    "a namespace that ends in a line break": get("a\n", "k"),
    "a namespace that leads out": get("../../etc", "k"),
    "a namespace with a slash": get("a/b", "k"),
    "a namespace with NUL": get("a\0b", "k"),
    "a namespace of a right-to-left mark": get("\u202e", "k"),
    "a namespace with empty parts": get("a..b", "k"),
    "a namespace that the root uses": get("cache.sqlite", "k"),
    "two hundred thousand dots": get("a.".repeat(200_000), "k"),
    "a backtracking bait": get(`${"a".repeat(500_000)}!`, "k"),
    "id 0": call(1, HEARTBEAT, idRequest(0n)),
    "id 2^63": call(1, HEARTBEAT, idRequest(2n ** 63n)),
    "id 2^64 - 1": call(1, HEARTBEAT, idRequest(2n ** 64n - 1n)),
    "an absent id": call(1, SET, new Uint8Array()),
  }),
];
