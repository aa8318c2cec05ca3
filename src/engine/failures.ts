/**
 * What a store's failure means to a client.
 *
 * @module
 */

import { BlobError, type BlobErrorCode } from "../blobs/blob_store.ts";
import { type ErrorCode, LarderError } from "../errors.ts";

const CODES: Record<BlobErrorCode, ErrorCode> = {
  "missing": "no-file",
  "not-a-file": "no-file",
  "unreadable": "no-file",
  "linked": "no-file",
  "foreign": "storage-failed",
  "damaged": "storage-failed",
  "full": "storage-full",
  "too-large": "storage-full",
  "overloaded": "overloaded",
  "failed": "storage-failed",
};

const MESSAGES: Partial<Record<ErrorCode, string>> = {
  "no-file": "Cannot publish: there is no regular file at the assigned path; " +
    "write it, then call Done again",
  "storage-full": "Cannot publish: the cache's disk is full; " +
    "free some space, or use the value without caching it",
  "storage-failed": "Cannot publish: the cache's disk failed; " +
    "try again, the server's log says what is wrong",
  "overloaded": "Cannot publish: too many operations are queued; try again",
};

/** Where what is wrong with a file says what to do. */
const OF_FILES: Partial<Record<BlobErrorCode, string>> = {
  "unreadable": "Cannot publish: the server may not read the file at the " +
    "assigned path; let everybody read it (chmod a+r, or write it with umask " +
    "022), then call Done again",
  "linked":
    "Cannot publish: at the assigned path was a hard link to a file of " +
    "the server's; write the value to a file of its own, then call Done again",
  "too-large": "Cannot publish: the value is larger than the server may make " +
    "a file (ulimit -f, or the cache's file system); use the value without " +
    "caching it",
};

/** Maps whatever a store threw to what the client is told; the cause is for the log. */
export function toLarderError(thrown: unknown): LarderError {
  if (thrown instanceof LarderError) return thrown;
  const code = thrown instanceof BlobError
    ? CODES[thrown.code]
    : "storage-failed";
  const ofFile = thrown instanceof BlobError
    ? OF_FILES[thrown.code]
    : undefined;
  const message = ofFile ?? MESSAGES[code] ?? code;
  return new LarderError(code, message, { cause: thrown });
}

/** Whether nothing was there. */
export function isMissing(thrown: unknown): boolean {
  return thrown instanceof BlobError && thrown.code === "missing";
}

/** Whether a blob cannot be what was published. */
export function isDamage(thrown: unknown): boolean {
  return thrown instanceof BlobError &&
    ["missing", "damaged", "not-a-file"].includes(thrown.code);
}

/** Why a value was refused, for the log: without its id, so that many are one line. */
export function withoutId({ message }: LarderError): string {
  return message.replace(/assignment \d+/, "an assignment");
}
