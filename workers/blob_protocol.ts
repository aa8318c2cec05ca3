/**
 * What the blob store and its workers say to each other. Messages are arrays,
 * so that everything one turn of the event loop asks for travels as one.
 *
 * The types repeat those of `src/blobs/` by structure: workers import nothing
 * from `src/`, so that the main isolate grants them read access to one folder.
 *
 * @module
 */

import type { GroupNumber } from "./shared_modes.ts";

/** What verifies a blob. */
export interface Digest {
  readonly size: number;
  readonly sha256: string;
}

/** What tells cheaply that a file has not changed. */
export interface Stamp {
  readonly size: number;
  readonly mtimeMs: number;
  readonly ino: string;
  /** Taken so soon after a change that another one might not show. */
  readonly young?: boolean;
}

/** A file whose bytes have been hashed. */
export interface Hashed {
  readonly digest: Digest;
  readonly stamp: Stamp;
}

/** What was found at the place of a staging file. */
export interface Captured {
  readonly size: number;
  /** Of a small one. */
  readonly hashed?: Hashed;
  /** It was larger than may be kept. */
  readonly givenBack?: true;
  /** It is hashed into a copy, which takes as much of the disk again. */
  readonly isCopied?: true;
}

/** What a file says of itself, unverified. */
export interface Measured {
  readonly size: number;
  /** Wall clock. */
  readonly modifiedMs: number;
}

/** The disk that the root is on. */
export interface Space {
  /** What this user may still write. */
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** A file takes a whole number of these. */
  readonly blockBytes: number;
  /** How many files can still be made; absent: as many as there is room for. */
  readonly freeFiles?: number;
}

/** One operation. Names are `<namespace>/<hex>`, staging names are one path part. */
export type Op =
  | { readonly kind: "put"; readonly name: string; readonly value: Uint8Array }
  | { readonly kind: "read"; readonly name: string; readonly digest: Digest }
  | {
    readonly kind: "verify";
    readonly name: string;
    readonly digest?: Digest;
    readonly stamp?: Stamp;
    /** Puts the bytes on the disk as well: nobody knows whether they are. */
    readonly sync?: boolean;
  }
  | { readonly kind: "remove"; readonly name: string }
  | { readonly kind: "quarantine"; readonly name: string }
  | { readonly kind: "measure"; readonly name: string }
  | { readonly kind: "space" }
  | { readonly kind: "namespaces" }
  | { readonly kind: "list"; readonly namespace: string }
  | {
    readonly kind: "remove-empty";
    readonly namespace: string;
    /** Only a folder as Larder makes them: nobody knows of a value in it. */
    readonly ours: boolean;
  }
  | {
    readonly kind: "sweep";
    readonly name: string;
    readonly minAgeMs: number;
  }
  | { readonly kind: "probe"; readonly staging: string }
  | {
    readonly kind: "capture";
    readonly staging: string;
    /** A larger file is given back. */
    readonly mostBytes: number;
    /** It was captured before: what its client has written since does not count. */
    readonly again?: boolean;
    /** Nothing was captured before, so there is nothing to look for. */
    readonly first?: boolean;
  }
  | {
    readonly kind: "hash";
    readonly staging: string;
    /** A larger file has grown since it was captured: the rest is left out. */
    readonly mostBytes: number;
  }
  | {
    readonly kind: "install";
    readonly staging: string;
    readonly name: string;
    /** What the file was when it was hashed; unknown after a restart. */
    readonly stamp?: Stamp;
    /** It was hashed when it was captured, so what there is is a copy. */
    readonly isCopy?: boolean;
  }
  | { readonly kind: "discard"; readonly staging: string }
  /** Adds bytes to a private file that is known as this staging file's capture. */
  | {
    readonly kind: "append";
    readonly staging: string;
    /** How long the file is; 0 makes it. */
    readonly offset: number;
    readonly value: Uint8Array;
  }
  /** Reads a part of a value that was verified when it had this stamp. */
  | {
    readonly kind: "read-range";
    readonly name: string;
    readonly offset: number;
    readonly length: number;
    readonly stamp: Stamp;
  }
  /** Puts the names in a namespace's or the private folder on the disk. */
  | { readonly kind: "sync"; readonly folder: string }
  /** Writes some bytes and removes them: whether that works now. */
  | { readonly kind: "rehearse"; readonly bytes: number }
  | { readonly kind: "leftovers" }
  | {
    readonly kind: "sweep-private";
    /** Temporary files whose tag begins with this are being written… */
    readonly pool: string;
    /** …unless with one of these: their workers are dead. */
    readonly dead: readonly string[];
  };

/** What each operation results in. */
export interface Results {
  readonly put: Hashed;
  /** In a buffer of its own. */
  readonly read: Uint8Array;
  readonly verify: Hashed;
  readonly remove: undefined;
  readonly quarantine: undefined;
  readonly measure: Measured | undefined;
  readonly space: Space;
  readonly namespaces: readonly string[];
  /** All the hex digests, 64 digits each, as one string: arrays of a million strings are slow to clone. */
  readonly list: string;
  readonly "remove-empty": boolean;
  readonly sweep: boolean;
  readonly probe: number | undefined;
  readonly capture: Captured;
  readonly hash: Hashed;
  readonly install: Stamp;
  readonly discard: undefined;
  readonly append: undefined;
  /** In a buffer of its own. */
  readonly "read-range": Uint8Array;
  readonly sync: undefined;
  readonly rehearse: undefined;
  readonly leftovers: {
    readonly staging: readonly string[];
    /** The staging folder is too large to be listed: these are none of it. */
    readonly tooMany?: boolean;
    readonly captured: readonly string[];
  };
  readonly "sweep-private": undefined;
}

/** The name of an operation. */
export type OpKind = Op["kind"];
/** The operation of that name. */
export type OpOf<K extends OpKind> = Extract<Op, { readonly kind: K }>;

/** Why an operation failed; those of `BlobErrorCode` that a worker can tell. */
export type FailureCode =
  | "missing"
  | "damaged"
  | "not-a-file"
  | "unreadable"
  | "linked"
  | "foreign"
  | "full"
  | "too-large"
  | "failed";

/** A failure, as it travels. */
export interface Failure {
  readonly code: FailureCode;
  readonly message: string;
}

/** The first message to a worker. */
export interface WorkerConfig {
  /** Absolute, without symbolic links. */
  readonly root: string;
  /** The inode of the root: another folder at its path is not the root. */
  readonly ino: string;
  /** Part of the names of this worker's temporary files. */
  readonly tag: string;
  /** Sync files before they are published; folders are synced when told to. */
  readonly strict: boolean;
  /**
   * Names what unsynced bytes are lost with: this boot of the machine and this
   * mount of the root. Part of a file's name.
   */
  readonly memory: string;
  /** Sync what is captured, so that it outlives that. */
  readonly keepCaptures: boolean;
  /** The groups of namespaces, where other users are served; absent: they are not. */
  readonly shared?: readonly GroupNumber[];
}

/** To a worker. */
export type ToWorker =
  | { readonly config: WorkerConfig }
  | {
    readonly ops: readonly { readonly seq: number; readonly op: Op }[];
  };

/** What became of one operation, or (`seq` 0) of the configuration. */
export type Outcome =
  & {
    readonly seq: number;
    /** The operation's large buffer, which nobody uses any more. */
    readonly spent?: ArrayBuffer;
  }
  & ({ readonly value: unknown } | { readonly failure: Failure });

/** From a worker. */
export type FromWorker = readonly Outcome[];
