/**
 * Publishes with something odd about them, and how each must end.
 *
 * @module
 */

import { gzipSync } from "node:zlib";
import { begin, cachePath, chunk, publish } from "./cache_messages.ts";
import { data, FLAG, goaway, headers } from "./frames.ts";
import { callFields, field, message, number } from "./messages.ts";
import { expect, type OddCall, STATUS } from "./odd_calls.ts";
import { bytes, hex, join } from "./octets.ts";

const { INVALID_ARGUMENT, EXHAUSTED, UNIMPLEMENTED, INTERNAL } = STATUS;
const { DATA_LOSS, FAILED_PRECONDITION } = STATUS;
const PIECE = chunk(bytes("piece"));
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
    data(1, new Uint8Array(), { end: true }),
  ),
  "HEADERS that end the stream": headers(
    1,
    callFields(cachePath("Publish")),
    FLAG.END_HEADERS | FLAG.END_STREAM,
  ),
};

/** Publishes of an assignment, which stays with its client. */
export function oddPublishes(id: bigint): readonly OddCall[] {
  const first = begin(id);
  const sha256 = (digest: Uint8Array) => begin(id, field(2, digest));
  return [
    ...expect([INVALID_ARGUMENT], {
      ...EMPTY,
      "an empty message": whole(message(new Uint8Array())),
      "a piece before Begin": whole(PIECE, first),
      "Begin twice": whole(first, first),
      "Begin after a piece": whole(first, PIECE, first),
      "an empty message after Begin": whole(first, message(new Uint8Array())),
      "a digest of 31 bytes": whole(sha256(new Uint8Array(31))),
      "a digest of a path": whole(
        begin(id, field(2, new Uint8Array(32)), number(3, 1n)),
      ),
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
    ...expect([DATA_LOSS], {
      "another value's digest": whole(sha256(new Uint8Array(32)), PIECE),
      "another value's digest, of nothing": whole(sha256(new Uint8Array(32))),
    }),
    ...expect([FAILED_PRECONDITION, INVALID_ARGUMENT], {
      "a path": whole(begin(id, number(3, 1n))),
      "a path and a piece": whole(begin(id, number(3, 1n)), PIECE),
    }),
    ...expect([EXHAUSTED], {
      "64 MiB and a byte announced": whole(
        first,
        message(PIECE, { announcedBytes: 64 * 1024 * 1024 + 1 }),
      ),
    }),
    ...expect([UNIMPLEMENTED], {
      "a compressed Begin": publish(1, [GZIPPED], {
        end: true,
        fields: [["grpc-encoding", "gzip"]],
      }),
      "a compressed piece": publish(1, [first, GZIPPED], {
        end: true,
        fields: [["grpc-encoding", "gzip"]],
      }),
    }),
    ...expect([INVALID_ARGUMENT, INTERNAL], {
      "a compressed piece without an encoding": whole(first, GZIPPED),
    }),
    ...expect(["reset", "closed", INVALID_ARGUMENT], {
      "DATA after the end": join(whole(PIECE), data(1, PIECE)),
      "GOAWAY after a piece, and no end": join(
        publish(1, [message(new Uint8Array())]),
        goaway(),
      ),
    }),
  ];
}
