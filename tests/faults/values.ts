/**
 * Values that tell by their hash whose they are: no two attempts publish the
 * same bytes, so that a mixed, torn or foreign value is recognized.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { randomFrom } from "../rude/scale.ts";

const POOL = new Uint8Array(1024 * 1024);
const random = randomFrom(1);
for (let at = 0; at < POOL.length; at++) POOL[at] = random() * 256;

/** From nothing to several slices and messages; most values are small. */
const SIZES: readonly (readonly [share: number, sizeBytes: number])[] = [
  [0.05, 0],
  [0.15, 1],
  [0.4, 1_000],
  [0.2, 70_000],
  [0.1, 300_000],
  [0.06, 1024 * 1024 + 1],
  [0.04, 4 * 1024 * 1024],
];

/** A size in bytes, up to 4 MiB. */
export function randomSize(random: () => number): number {
  let left = random();
  for (const [share, sizeBytes] of SIZES) {
    left -= share;
    if (left < 0) return sizeBytes;
  }
  return 0;
}

/** The value of an attempt; those of other attempts differ from it. */
export function valueOf(attempt: number, sizeBytes: number): Uint8Array {
  const value = new Uint8Array(sizeBytes);
  for (let at = 0; at < sizeBytes;) {
    const from = at === 0 ? (attempt * 7_919) % POOL.length : 0;
    const piece = POOL.subarray(from, from + sizeBytes - at);
    value.set(piece, at);
    at += piece.length;
  }
  const mark = new TextEncoder().encode(`${attempt}.`);
  value.set(mark.subarray(0, sizeBytes));
  return value;
}

/** The SHA-256 of bytes, in hex. */
export function hashOf(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}
