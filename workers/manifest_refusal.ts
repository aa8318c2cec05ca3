/**
 * Why a manifest cannot be served, in words that say what to do.
 *
 * @module
 */

import { sqliteFault } from "./sqlite.ts";

/** A root that cannot be served; the message says what to do. */
export class RefusedError extends Error {
  override name = "RefusedError";
}

/** What a failure to open the file at a path means. */
export function explain(error: unknown, path: string): string {
  const reason = messageOf(error);
  switch (sqliteFault(error)) {
    case "damaged":
      return `${path} is damaged (${reason}): run \`larder recover ROOT\` ` +
        "to move it aside and start clean, or restore a copy";
    case "busy":
      return `Cannot open ${path}: another process holds it; stop that one first`;
    case "full":
      return `Cannot open ${path}: the disk is full; make room and start again`;
    default:
      return `Cannot open ${path}: ${reason}; check who owns it and its permissions`;
  }
}

/** Why an open manifest takes no writes where the root may take no more of the disk. */
export const OVER_QUOTA =
  "the manifest takes no writes (disk quota exceeded): " +
  "make room under the quota";

/** Why an open manifest takes no writes, and what to do; it names no file. */
export function whyNotWritten(error: unknown): string {
  const reason = messageOf(error);
  switch (sqliteFault(error)) {
    case "damaged":
      return `the manifest is damaged (${reason}): stop the server and run ` +
        "`larder recover ROOT`";
    case "full":
      return `the manifest takes no writes (${reason}): make room on its disk`;
    case "busy":
      return `the manifest takes no writes (${reason}): another process holds it`;
    default:
      return `the manifest takes no writes (${reason}): see whether its disk ` +
        "fails, or is mounted read-only";
  }
}

/** An error's message, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
