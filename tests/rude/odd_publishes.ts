/**
 * Publishes with something odd about them, and how each must end.
 *
 * @module
 */

import { gzipSync } from "node:zlib";
import { Flag } from "../../src/http2/frames.ts";
import { data, goaway, headers } from "../../src/http2/testing/frame_bytes.ts";
import { bytes, hex, join } from "../../src/http2/testing/octets.ts";
import {
  begin,
  cachePath,
  chunk,
  end,
  endOf,
  publish,
} from "./cache_messages.ts";
import { callFields, field, message, number } from "./messages.ts";
import { expect, type OddCall, STATUS, STREAM_CLOSED } from "./odd_calls.ts";

const { INVALID_ARGUMENT, EXHAUSTED, UNIMPLEMENTED, INTERNAL } = STATUS;
const { DATA_LOSS, FAILED_PRECONDITION } = STATUS;
const PIECE = chunk(bytes("piece"));
const END = endOf(bytes("piece"));
/** A message that is cut in its first field. */
const CUT = message(hex("0a 09 01"));
const GZIPPED = message(new Uint8Array(gzipSync(hex("12 01 61"))), { flag: 1 });

function whole(...messages: Uint8Array[]): Uint8Array {
  return publish(1, messages, { end: true });
}

/** Ended without a word, in both ways that HTTP/2 has. */
const EMPTY = {
  "no message": join(
    headers(1, callFields(cachePath("Publish"))),
    data(1, new Uint8Array(), Flag.END_STREAM),
  ),
  "HEADERS that end the stream": headers(
    1,
    callFields(cachePath("Publish")),
    Flag.END_STREAM,
  ),
};

/**
 * Publishes of an assignment, which stays with its client. Only LocalCache takes
 * paths: elsewhere they are refused, whatever is wrong with them.
 */
export function oddPublishes(
  id: bigint,
  { takesPaths }: { readonly takesPaths: boolean },
): readonly OddCall[] {
  const first = begin(id);
  const path = begin(id, number(3, 1n));
  const digest = new Uint8Array(32);
  return [
    ...expect(INVALID_ARGUMENT, {
      ...EMPTY,
      "an empty message": whole(message(new Uint8Array())),
      "a piece before Begin": whole(PIECE, first),
      "Begin twice": whole(first, first),
      "Begin after a piece": whole(first, PIECE, first),
      "an empty message after Begin": whole(first, message(new Uint8Array())),
      "no End": whole(first, PIECE),
      "no piece and no End": whole(first),
      "End twice": whole(first, PIECE, END, END),
      "a piece after End": whole(first, PIECE, END, PIECE),
      "End first": whole(END, first, PIECE),
      "End alone": whole(END),
      "an End that says nothing": whole(first, PIECE, message(hex("1a 00"))),
      "an End that is cut": whole(first, PIECE, message(hex("1a 02 08"))),
      "garbage after End": whole(first, PIECE, END, CUT),
      "a digest of 31 bytes": whole(first, PIECE, end(5n, digest.subarray(1))),
      "a digest in Begin only": whole(begin(id, field(2, digest)), PIECE),
      "the id of nobody": whole(begin(7n), PIECE),
      "id 0": whole(begin(0n), PIECE),
      "id 2^64 - 1": whole(begin(2n ** 64n - 1n), PIECE),
      "a Begin that is cut": whole(message(hex("0a 02 08"))),
      "a Begin that is no message": whole(message(hex("08 01"))),
      "garbage first": whole(CUT, first, PIECE),
      "garbage after Begin": whole(first, CUT),
      "garbage after a piece": whole(first, PIECE, CUT, PIECE),
      "Begin twice in one message": whole(
        message(join(first.subarray(5), hex("0a 03 08"))),
      ),
    }),
    ...expect(DATA_LOSS, {
      "another value's digest": whole(first, PIECE, end(5n, digest)),
      "another value's digest, of nothing": whole(first, end(0n, digest)),
      "an End that came too early": whole(first, PIECE, endOf(bytes("pieces"))),
      "a size of 2^64 - 1": whole(first, PIECE, end(2n ** 64n - 1n, digest)),
    }),
    ...expect(takesPaths ? INVALID_ARGUMENT : FAILED_PRECONDITION, {
      "a digest of a path": whole(path, end(0n, digest)),
      "a path without End": whole(path),
      "a path and a piece": whole(path, PIECE, END),
    }),
    // There is no file.
    ...expect(FAILED_PRECONDITION, {
      "a path": whole(path, message(hex("1a 00"))),
    }),
    ...expect(EXHAUSTED, {
      "64 MiB and a byte announced": whole(
        first,
        message(PIECE, { announcedBytes: 64 * 1024 * 1024 + 1 }),
      ),
    }),
    ...expect(UNIMPLEMENTED, {
      "a compressed Begin": publish(1, [GZIPPED], {
        end: true,
        fields: [["grpc-encoding", "gzip"]],
      }),
      "a compressed piece": publish(1, [first, GZIPPED], {
        end: true,
        fields: [["grpc-encoding", "gzip"]],
      }),
    }),
    ...expect(INTERNAL, {
      "a compressed piece without an encoding": whole(first, GZIPPED),
    }),
    ...expect(INVALID_ARGUMENT, {
      // To go away takes nothing back of what was asked for.
      "GOAWAY after an empty message, and no end": join(
        publish(1, [message(new Uint8Array())]),
        goaway(),
      ),
    }),
    ...expect(STREAM_CLOSED, {
      "DATA after the end": join(whole(PIECE), data(1, PIECE)),
    }),
  ];
}
