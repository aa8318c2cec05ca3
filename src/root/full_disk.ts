/**
 * A start on a disk that is full: what is wrong is neither the root nor who may
 * write to it.
 *
 * @module
 */

import { statfsSync } from "node:fs";
import { isOverQuota, messageOf, StartError } from "../errors.ts";

/** About what SQLite writes to open a manifest: its index of 32 KiB, and its log. */
const OPENING_BYTES = 128 * 1024;

/** The error of the start. */
export function diskFull(root: string, cause: unknown): StartError {
  const isQuota = cause instanceof Error && isOverQuota(cause);
  return new StartError(
    1,
    `cannot use root ${root}: ${
      isQuota
        ? "the quota for it is used up: make room under it"
        : "its disk is full: make room on it"
    } and start again`,
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
