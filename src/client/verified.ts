/**
 * Whether what has come of a value is what its server has told of it.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { Sha256, sha256Hex } from "../../workers/digest.ts";
import { CacheError } from "./cache_error.ts";

/** What a server tells of a value before its first byte. */
export interface Told {
  /** In bytes. */
  readonly size: string;
  /** 32 bytes. */
  readonly sha256: Uint8Array;
}

/**
 * The same pieces. Throws, before it gives the last one, unless all of them
 * together are the value: nobody ever holds a whole value that is a wrong one.
 */
export async function* verified(
  pieces: AsyncIterable<Uint8Array>,
  { size, sha256 }: Told,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = new Sha256();
  let left = Number(size);
  let last: Uint8Array | undefined;
  for await (const piece of pieces) {
    if (piece.length === 0) continue;
    hash.update(piece);
    left -= piece.length;
    if (left > 0) yield piece;
    else last = piece;
  }
  assertWhole(left === 0 && hash.hex() === hexOf(sha256));
  if (last) yield last;
}

/** The same value. Throws unless it is the one that was told of. */
export function checked(
  value: Uint8Array,
  { size, sha256 }: Told,
): Uint8Array {
  assertWhole(
    value.length === Number(size) && sha256Hex(value) === hexOf(sha256),
  );
  return value;
}

function assertWhole(isWhole: boolean): void {
  if (isWhole) return;
  throw new CacheError(
    "failed",
    "what came is not the value that the server has told of, by its size " +
      "or SHA-256: ask for it again",
  );
}

function hexOf({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString("hex");
}
