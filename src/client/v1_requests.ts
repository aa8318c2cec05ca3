/**
 * The messages of a `Publish`: of a file that the server sees too, or of bytes.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { Sha256, sha256 } from "../../workers/digest.ts";
import type { Pieces, PublishCallOptions } from "./backend.ts";
import { eachPiece } from "./transfer.ts";

/** A server waits more than twice as long for the next piece, however busy it is. */
const KEEP_ALIVE_MS = 2_000;

/** The value is the file at the assigned path. */
export function* pathRequests(id: string): Generator<object, void, undefined> {
  yield { begin: { id, path: true } };
  yield { end: {} };
}

/** Larger values go in pieces. */
const MAX_WHOLE_BYTES = 64 * 1024;

/** The value in one message; `undefined`: it is none for that. */
export function valueRequest(
  id: string,
  value: Pieces,
): { id: string; value: Uint8Array; sha256: Uint8Array } | undefined {
  if (!(value instanceof Uint8Array)) return undefined;
  if (value.length > MAX_WHOLE_BYTES) return undefined;
  return { id, value, sha256: sha256(value) };
}

/**
 * A size that is known is said first: a value that can never be kept is refused
 * before it is sent. Only what is whole gets an End, and only what has one is published. While the
 * next piece takes its time, empty ones say that it will come.
 */
export async function* publishRequests(
  id: string,
  value: Pieces,
  { signal, expectedSize }: PublishCallOptions,
): AsyncGenerator<object, void, undefined> {
  yield { begin: { id, ...expectedSize !== undefined && { expectedSize } } };
  const hash = new Sha256();
  let size = 0;
  const pieces = eachPiece(value);
  try {
    for (;;) {
      const next = pieces.next();
      while (await isLate(next)) yield { chunk: new Uint8Array() };
      const { value: chunk, done } = await next;
      if (done) break;
      hash.update(chunk);
      size += chunk.length;
      yield { chunk };
    }
  } finally {
    // Whoever makes them is told that no more are wanted; the one that is being
    // made may take its time, or never come.
    pieces.return().catch(() => {});
  }
  signal?.throwIfAborted();
  yield { end: { size, sha256: Buffer.from(hash.hex(), "hex") } };
}

/** Whether it takes longer than the server should be without a word. */
function isLate(next: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(true), KEEP_ALIVE_MS);
    const inTime = () => {
      clearTimeout(timer);
      resolve(false);
    };
    next.then(inTime, inTime);
  });
}
