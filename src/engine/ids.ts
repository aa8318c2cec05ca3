/**
 * Random ids: nobody can guess another's, and none comes twice, also across
 * restarts.
 *
 * @module
 */

import type { Id } from "../table/types.ts";

/** Ids drawn at once: a call for each would cost more than the number. */
const BATCH = 256;
/** Ids are positive 63-bit numbers: node:sqlite refuses larger ones. */
const MAX_ID = 2n ** 63n - 1n;
/** A staging name of 128 bits cannot be guessed by another client either. */
const STAGING_BYTES = 16;

const drawn = new BigUint64Array(BATCH);
let used = BATCH;

/** A random non-zero 63-bit number in decimal. */
export function randomId(): Id {
  for (;;) {
    if (used === BATCH) {
      crypto.getRandomValues(drawn);
      used = 0;
    }
    const id = drawn[used++]! & MAX_ID;
    if (id !== 0n) return id.toString();
  }
}

/** Whether a client's number can be one of ours at all. */
export function isPossibleId(id: string): boolean {
  return id !== "0" && (id.length < 19 || BigInt(id) <= MAX_ID);
}

/** The name of an assignment's staging file, independent of its id. */
export function randomStaging(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(STAGING_BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}
