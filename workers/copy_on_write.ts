/**
 * File systems that write to a new place what is written again.
 *
 * @module
 */

import { statfsSync } from "node:fs";

/** What statfs(2) calls those of Linux. */
const TYPES: ReadonlySet<number> = new Set([
  // btrfs
  0x9123683e,
  // ZFS
  0x2fc12fc1,
  // bcachefs
  0xca451a4e,
  // F2FS
  0xf2f52010,
]);

/**
 * Whether a folder is known to lie on such a file system. There a write to a mapped file
 * needs room, and is SIGBUS where there is none.
 */
export function isCopyOnWrite(folder: string): boolean {
  return TYPES.has(statfsSync(folder).type);
}
