/**
 * What the manifest and its worker say to each other. One message each way
 * carries everything one turn of the event loop asked for; operations are
 * tuples, and the keys of a message travel packed into one buffer, because
 * cloning many small objects and buffers costs more than the SQL does.
 *
 * @module
 */

/** How a commit reaches the disk: see the two modes in the README. */
export type Durability = "relaxed" | "strict";

/** A row's status as the original server writes it; there is no other number. */
export const STATUS = { loading: 0, ready: 1, evicting: 2 } as const;

/** A number of {@linkcode STATUS}. */
export type StatusCode = typeof STATUS[keyof typeof STATUS];

/** An id in decimal, or null for the rows of the original server that have none. */
export type MaybeId = string | null;

/**
 * An operation. `keyBytes` is the length of the operation's key, which lies in
 * the message's packed buffer after the keys of the operations before it.
 */
export type Operation =
  | readonly ["find", namespace: string, keyBytes: number]
  | readonly ["findId", id: string]
  | readonly [
    "claim",
    namespace: string,
    keyBytes: number,
    id: string,
    staging: string | null,
    nowMs: number,
  ]
  | readonly [
    "reassign",
    namespace: string,
    keyBytes: number,
    status: StatusCode,
    expectedId: MaybeId,
    id: string,
    staging: string | null,
    nowMs: number,
  ]
  | readonly [
    "record",
    namespace: string,
    keyBytes: number,
    id: string,
    size: number,
    sha256: string,
  ]
  | readonly [
    "publish" | "complete",
    namespace: string,
    keyBytes: number,
    id: string,
    size: number,
    sha256: string,
    nowMs: number,
  ]
  | readonly [
    "evict",
    namespace: string,
    keyBytes: number,
    id: MaybeId,
    nowMs: number,
  ]
  | readonly [
    "remove",
    namespace: string,
    keyBytes: number,
    status: StatusCode,
    id: MaybeId,
  ]
  | readonly ["unsettled", cursor: string | null]
  | readonly ["stale", beforeMs: number, cursor: string | null]
  | readonly ["names", namespace: string, cursor: string | null];

/** The part of a row that whoever asked by key does not know yet. */
export type RowState = readonly [
  status: StatusCode,
  id: MaybeId,
  staging: string | null,
  size: number | null,
  sha256: string | null,
];

/** A row found by something else than its key. */
export interface FoundRow {
  readonly namespace: string;
  readonly key: Uint8Array;
  /** SHA-256 of the key, hex. */
  readonly hash: string;
  readonly state: RowState;
}

/** A page of rows or names; no cursor on the last one. */
export interface PageOf<T> {
  readonly items: readonly T[];
  readonly cursor: string | null;
}

/** One operation alone failed; the rest of its batch went through. */
export interface OperationFault {
  readonly fault: string;
}

/**
 * What an operation answers. Changes: true when made, otherwise false, or the
 * row that is there instead (null: none) from `claim` and `reassign`.
 */
export type Outcome =
  | boolean
  | null
  | RowState
  | FoundRow
  | PageOf<FoundRow>
  | PageOf<string>
  | OperationFault;

/** What the manifest sends. */
export type ToManifestWorker =
  | {
    readonly kind: "open";
    readonly root: string;
    readonly durability: Durability;
    readonly nowMs: number;
  }
  | {
    readonly kind: "batch";
    readonly operations: readonly Operation[];
    readonly keys: Uint8Array;
  }
  | { readonly kind: "close" };

/** Why a batch was rolled back. */
export type BatchFault = "full" | "failed";

/** What the worker answers: one message for each it got, in order. */
export type FromManifestWorker =
  | { readonly kind: "opened"; readonly servedBefore: boolean }
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "done"; readonly outcomes: readonly Outcome[] }
  | {
    readonly kind: "failed";
    readonly fault: BatchFault;
    readonly message: string;
  }
  | { readonly kind: "closed" };
