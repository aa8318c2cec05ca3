/**
 * What tells that a file is still the same one, without reading it.
 *
 * @module
 */

import type { BigIntStats } from "node:fs";

/**
 * A file that was changed so shortly before it was looked at may be changed
 * again with no other time in its inode: file systems count in up to 2 s.
 */
const SETTLED_MS = 2_000n;
const NS_PER_MS = 1_000_000n;

/** What differs when a file is written, or another one takes its place. */
export function stampOf(info: BigIntStats): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = info;
  return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
}

/** Whether a later change would show in the stamp. */
export function isSettled({ ctimeNs }: BigIntStats, nowMs: number): boolean {
  return ctimeNs / NS_PER_MS + SETTLED_MS < BigInt(nowMs);
}
