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

/** Where a manifest that is missing is made. */
export type Makes =
  /** In any folder: somebody has said that it is a root. */
  | "anywhere"
  /** In a folder that is Larder's: see root_contents.ts. */
  | "where-fresh"
  /** Nowhere: it was there a moment ago. */
  | "never";

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
    ttlMs: number | null,
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
    ttlMs: number | null,
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
  | readonly ["grace", endsMs: number]
  | readonly ["renewed", namespace: string, keyBytes: number, id: string]
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
  | readonly [
    "measure",
    namespace: string,
    keyBytes: number,
    size: number,
    accessedMs: number,
  ]
  | readonly ["stat", namespace: string, keyBytes: number]
  /** `keyBytes` of all the uses: their keys lie one after the other. */
  | readonly ["touch", uses: readonly PackedUse[], keyBytes: number]
  /** Of the namespaces after one; of all that follow where the limit is -1. */
  | readonly ["usage", limit: number, after: string | null]
  | readonly [
    "oldest",
    /** A namespace, `a.b.*` or `*`. */
    pattern: string,
    cursor: string | null,
    limit: number,
    keyBytes: number,
    handedBeforeMs: number,
  ]
  | readonly ["expired", beforeMs: number, cursor: string | null]
  | readonly ["unmeasured", cursor: string | null]
  | readonly ["list", namespace: string, cursor: string | null, limit: number]
  | readonly ["unsettled", cursor: string | null]
  | readonly ["stale", beforeMs: number, cursor: string | null]
  | readonly ["names", namespace: string, cursor: string | null];

/** One of the uses of a `touch`. */
export type PackedUse = readonly [
  namespace: string,
  keyBytes: number,
  accessedMs: number,
  handed: boolean,
];

/** The part of a row that whoever asked by key does not know yet. */
export type RowState = readonly [
  status: StatusCode,
  id: MaybeId,
  staging: string | null,
  size: number | null,
  sha256: string | null,
  handedMs: number | null,
  graceEndsMs: number | null,
  ttlMs: number | null,
  expiresMs: number | null,
  computedMs: number | null,
];

/** What people want to know of a row. */
export type RowInfo = readonly [
  status: StatusCode,
  size: number | null,
  sha256: string | null,
  createdMs: number | null,
  accessedMs: number | null,
  expiresMs: number | null,
  computedMs: number | null,
];

/** A namespace, how many of its entries are ready, and their bytes. */
export type Usage = readonly [
  namespace: string,
  entries: number,
  bytes: number,
];

/** The key of a row found by something else. */
export interface FoundKey {
  readonly namespace: string;
  readonly key: Uint8Array;
  /** SHA-256 of the key, hex. */
  readonly hash: string;
}

/** A row found by something else than its key. */
export interface FoundRow extends FoundKey {
  readonly state: RowState;
}

/** A ready row found by its age. */
export interface FoundAged extends FoundKey {
  readonly size: number | null;
  readonly accessedMs: number;
}

/** A ready row whose time is over. */
export interface FoundExpired extends FoundKey {
  readonly size: number | null;
  readonly handedMs: number | null;
}

/** A row found for people. */
export interface FoundInfo extends FoundKey {
  readonly info: RowInfo;
}

/** A page of what was asked for; no cursor on the last one. */
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
  | RowInfo
  | readonly Usage[]
  | PageOf<FoundRow>
  | PageOf<FoundAged>
  | PageOf<FoundExpired>
  | PageOf<FoundKey>
  | PageOf<FoundInfo>
  | PageOf<string>
  | OperationFault;

/** What the manifest sends. */
export type ToManifestWorker =
  | {
    readonly kind: "open";
    readonly root: string;
    readonly durability: Durability;
    readonly makes: Makes;
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
