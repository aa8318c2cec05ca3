/**
 * A start on a disk that is full: what is wrong is neither the root nor who may
 * write to it.
 *
 * @module
 */

import { statfsSync } from "node:fs";
import { messageOf, StartError } from "../errors.ts";

/** About what SQLite writes to open a manifest: its index of 32 KiB, and its log. */
const OPENING_BYTES = 128 * 1024;

/** What the system calls it: no space, or a user's share is used up. */
const FULL = ["ENOSPC", "EDQUOT"];

/** Whether something could not be written since there is no room for it. */
export function isDiskFull(error: unknown): boolean {
  const { code } = error as { readonly code?: string };
  return code !== undefined && FULL.includes(code);
}

/** The error of the start. */
export function diskFull(root: string, cause: unknown): StartError {
  return new StartError(
    1,
    `cannot use root ${root}: its disk is full: make room on it and start again`,
    { cause },
  );
}

/**
 * Why a manifest could not be opened: what SQLite maps into memory cannot grow on
 * a full disk either, and then it says no more than "disk I/O error".
 */
export function notOpened(root: string, error: unknown): unknown {
  if (!messageOf(error).includes("disk I/O error")) return error;
  const { bavail, bsize } = statfsSync(root);
  return bavail * bsize < OPENING_BYTES ? diskFull(root, error) : error;
}
