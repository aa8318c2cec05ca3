/**
 * What the manifest and its worker say to each other. One message each way
 * carries everything one turn of the event loop asked for; operations are
 * tuples, and the keys of a message travel packed into one buffer, because
 * cloning many small objects and buffers costs more than the SQL does.
 *
 * @module
 */

import type {
  ArgumentsOf,
  OperationName,
  ResultOf,
} from "./manifest_operations.ts";

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

/**
 * An operation on its way. `keyBytes` is the length of its key, which lies in
 * the message's packed buffer after the keys of the operations before it.
 */
export type PackedOperation = {
  [K in OperationName]: readonly [
    name: K,
    keyBytes: number,
    ...args: ArgumentsOf<K>,
  ];
}[OperationName];

/** One operation alone failed; the rest of its batch went through. */
export interface OperationFault {
  readonly fault: string;
}

/** What an operation answers. */
export type Outcome = ResultOf<OperationName> | OperationFault;

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
    readonly operations: readonly PackedOperation[];
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
