/**
 * The blob store: values by name, verified by digest. Async and narrow, so
 * that an object store can implement it. Local paths are a capability of
 * their own, which such a store lacks.
 *
 * @module
 */

import type { Digest, Stamp } from "../table/types.ts";

/** Why a blob operation failed. */
export type BlobErrorCode =
  /** There is no such file. */
  | "missing"
  /** Size or SHA-256 are not those that were expected. */
  | "damaged"
  /** What lies there is no regular file. */
  | "not-a-file"
  /** What a client left is a file that we may not read; it is left where it was. */
  | "unreadable"
  /** What a client left is a second name of a file of ours. */
  | "linked"
  /** A link, or something else, lies where a folder of ours should. */
  | "foreign"
  /** No room: ENOSPC, EDQUOT. */
  | "full"
  /** It would be larger than a file may be here: EFBIG. */
  | "too-large"
  /** The bounded queue has no room. */
  | "overloaded"
  /** Everything else; the message says what. */
  | "failed";

/** A blob operation that did not come about; nothing half-done is visible. */
export class BlobError extends Error {
  /** Why. */
  readonly code: BlobErrorCode;

  /** The message is for the log: it may name paths. */
  constructor(code: BlobErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "BlobError";
    this.code = code;
  }
}

/** Failures that the next value may meet as well. */
const TROUBLE: readonly BlobErrorCode[] = ["full", "failed"];

/** Whether something failed for which no single client or name is to blame. */
export function isDiskTrouble(error: unknown): error is BlobError {
  return error instanceof BlobError && TROUBLE.includes(error.code);
}

/** A blob that lies at its final path. */
export interface Stored {
  /** What verifies it. */
  readonly digest: Digest;
  /** What tells cheaply that it has not changed. */
  readonly stamp: Stamp;
}

/** A part of a value; it lies within it. */
export interface Range {
  /** Its first byte. */
  readonly offset: number;
  /** How many bytes. */
  readonly length: number;
}

/** What a file says of itself. */
export interface Measured {
  /** Length in bytes. */
  readonly size: number;
  /** When it was changed last, by the wall clock. */
  readonly modifiedMs: number;
}

/** A disk, or what this user has of it. */
export interface Space {
  /** What may still be written. */
  readonly freeBytes: number;
  /** All of it. */
  readonly totalBytes: number;
  /** A file takes a whole number of these. */
  readonly blockBytes: number;
  /** How many files can still be made; absent: as many as there is room for. */
  readonly freeFiles?: number;
}

/**
 * Blobs by name (`<namespace>/<64 hex digits>`). Readers see a whole value or
 * none. The caller serializes what changes one name; different names are
 * independent. Every failure is a {@linkcode BlobError}.
 */
export interface BlobStore extends AsyncDisposable {
  /**
   * Writes, hashes and publishes a value. The bytes are copied or consumed
   * before the promise settles; the caller must not change them meanwhile.
   */
  put(name: string, value: Uint8Array): Promise<Stored>;
  /**
   * Reads and verifies a value, into a buffer that nobody else uses.
   */
  read(name: string, digest: Digest): Promise<Uint8Array>;
  /**
   * Reads a part of a value into a buffer that nobody else uses. `stamp` is of
   * its last verification: `damaged` where the file is another by now.
   */
  readRange(name: string, range: Range, stamp: Stamp): Promise<Uint8Array>;
  /**
   * Verifies what lies at the name: against `digest` where given, else only
   * hashes it. Where `stamp` still fits, the bytes are not read again.
   */
  verify(name: string, digest?: Digest, stamp?: Stamp): Promise<Stored>;
  /** Deletes a value; one that is missing is no error. */
  remove(name: string): Promise<void>;
  /** Moves a damaged value out of the way; one that is missing is no error. */
  quarantine(name: string): Promise<void>;
  /** What a value's file says of itself, unverified; `undefined`: there is none. */
  measure(name: string): Promise<Measured | undefined>;
  /** The disk that values are on; `undefined`: there is none. */
  space(): Promise<Space | undefined>;
  /** The namespaces that have values. */
  namespaces(): Promise<readonly string[]>;
  /**
   * The hex digests of a namespace's values, without the namespace; none where
   * there are more than can be held at once (in files: about 40,000).
   */
  list(namespace: string): Promise<readonly string[]>;
  /**
   * Removes what an empty namespace leaves behind; absent where that is nothing.
   * `ours`: only what Larder has made, for nobody knows that it was a namespace.
   */
  removeEmpty?(
    namespace: string,
    options?: { readonly ours?: boolean },
  ): Promise<boolean>;
  /**
   * Deletes a value that nobody owns, unless it changed within `minAgeMs`.
   * Resolves to whether it was deleted.
   */
  sweep(name: string, minAgeMs: number): Promise<boolean>;
  /** Why no value can be kept now, if so; absent where there is no disk. */
  readonly trouble?: BlobError | undefined;
  /** Files handed out to clients on the same file system, where that is possible. */
  readonly local?: LocalFiles;
  /** Finishes what is running, refuses the rest; idempotent. */
  close(): Promise<void>;
}

/** What was left behind. */
export interface Leftovers {
  /** The names in the staging folder; none where they are too many. */
  readonly staging: readonly string[];
  /** There are more of them than can be held at once (about 80,000). */
  readonly tooMany?: boolean;
  /** The staging names that have a capture. */
  readonly captured: readonly string[];
}

/** What was found at the place of a staging file. */
export interface CapturedFile {
  /** In bytes. */
  readonly size: number;
  /** Of a small one. */
  readonly digest?: Digest;
  /** It was larger than may be kept. */
  readonly givenBack?: true;
  /** It is hashed into a copy, which takes as much of the disk again. */
  readonly isCopied?: true;
}

/** Values by path, for clients on the same file system. */
export interface LocalFiles {
  /** The absolute path of a published value. */
  path(name: string): string;
  /** The absolute path where an assignment's client writes. */
  stagingPath(staging: string): string;
  /**
   * How long ago the staging file changed; `undefined`: there is none, or it
   * changed in the future, so that the clock must have been set back.
   */
  probe(staging: string): Promise<number | undefined>;
  /**
   * Takes the staging file away from its client before looking at it, so that
   * nothing the client still does reaches the value. Idempotent: where there is
   * none, one that has been captured already is captured. `again`: only that one
   * counts, for its client may have been told so; `first`: there is none, so that
   * it need not be looked for. Hashes small files in the same breath. `missing` and
   * `not-a-file` leave nothing captured, nor does a file of more than `mostBytes`: it
   * is given back unread.
   */
  capture(
    staging: string,
    options?: {
      readonly mostBytes?: number;
      readonly again?: boolean;
      readonly first?: boolean;
    },
  ): Promise<CapturedFile>;
  /**
   * Hashes a captured file of so many bytes, or these of one that has grown;
   * without a size, what was appended.
   */
  hash(staging: string, size?: number): Promise<Digest>;
  /** Publishes a captured file. */
  install(staging: string, name: string): Promise<Stamp>;
  /**
   * A value was perhaps renamed to its name, but never synced: its next
   * verification makes up for it. Absent where nothing is ever synced.
   */
  doubt?(name: string): void;
  /**
   * Adds bytes to a private file, which is then known as the capture of that
   * staging name; `offset` is its length, and 0 makes it. The bytes are
   * consumed. The next call may be made while one is under way: they take
   * effect in their order.
   */
  append(staging: string, offset: number, bytes: Uint8Array): Promise<void>;
  /** Removes a staging file and its capture; a missing one is no error. */
  discard(staging: string): Promise<void>;
  /** The staging names that have a file, and those that have a capture. */
  leftovers(): Promise<Leftovers>;
  /** Removes the private files that no capture explains: torn writes of a killed process. */
  sweepPrivate(): Promise<void>;
}
