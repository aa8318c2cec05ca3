/**
 * Random ids: nobody can guess another's, and none comes twice, also across
 * restarts.
 *
 * @module
 */

import type { Id } from "../table/types.ts";

/** Numbers drawn at once: a call for each would cost more than the number. */
const BATCH = 256;
/** Ids are positive 63-bit numbers: node:sqlite refuses larger ones. */
const MAX_ID = 2n ** 63n - 1n;

const drawn = new BigUint64Array(BATCH);
let used = BATCH;

/** A random non-zero 63-bit number in decimal. */
export function randomId(): Id {
  for (;;) {
    const id = draw() & MAX_ID;
    if (id !== 0n) return id.toString();
  }
}

/** Whether a client's number can be one of ours at all. */
export function isPossibleId(id: string): boolean {
  return id !== "0" && (id.length < 19 || BigInt(id) <= MAX_ID);
}

/**
 * The name of an assignment's staging file, independent of its id: 128 bits, which
 * another client cannot guess either.
 */
export function randomStaging(): string {
  return hex(draw()) + hex(draw());
}

function draw(): bigint {
  if (used === BATCH) {
    crypto.getRandomValues(drawn);
    used = 0;
  }
  return drawn[used++]!;
}

function hex(number: bigint): string {
  return number.toString(16).padStart(16, "0");
}
