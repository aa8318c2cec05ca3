/**
 * What goes into the state table and what comes out of it. Both are data: the
 * table does nothing itself, the engine runs the effects and feeds what became
 * of them back as commands.
 *
 * @module
 */

import type { LarderError } from "../errors.ts";
import type { TableObserver } from "./observer.ts";

/** A random non-zero 63-bit number in decimal. Assignments and handles share one space. */
export type Id = string;

/** Names one waiting request; the engine keeps the callback that belongs to it. */
export type Ticket = number;

/**
 * How values travel to whoever asks: as paths, as bytes in one message, or as
 * bytes in pieces.
 */
export type Api = "local" | "remote" | "stream";

/** An entry's identity. */
export interface EntryKey {
  /** `<namespace>/<hex sha256(key)>`: the blob's path below the root, and the entry's name in memory. */
  readonly name: string;
  /** The namespace, already checked. */
  readonly namespace: string;
  /** The key, opaque. */
  readonly key: Uint8Array;
}

/** What verifies a blob. */
export interface Digest {
  /** Length in bytes. */
  readonly size: number;
  /** SHA-256, lower-case hex. */
  readonly sha256: string;
}

/** What tells cheaply that a file is still the one that was verified. */
export interface Stamp {
  /** Length in bytes. */
  readonly size: number;
  /** Modification time in milliseconds. */
  readonly mtimeMs: number;
  /** Inode number, in decimal. */
  readonly ino: string;
  /** Taken so soon after a change that another one might not show: proves nothing. */
  readonly young?: boolean;
}

/** An assignment as the manifest keeps it. */
export interface Assignment {
  /** Proves that the holder is the one who was assigned. */
  readonly id: Id;
  /** The staging file's random name; absent for remote assignments. */
  readonly staging?: string;
  /** For how long the value is kept once it is published; absent: for ever. */
  readonly ttlMs?: number;
  /** The name of whose it is; absent: of somebody without one. */
  readonly owner?: string;
}

/** An entry as the manifest keeps it. */
export type Row =
  & EntryKey
  & (
    | {
      readonly status: "loading";
      /** Absent in rows of the original server. */
      readonly id?: Id;
      readonly staging?: string;
      /**
       * When the grace ends that a start gave it, by the wall clock; absent: no
       * start has, or its holder was heard since.
       */
      readonly graceEndsMs?: number;
      /** When the work was given out, by the wall clock; absent: nobody knows. */
      readonly assignedMs?: number;
      /** Present once a captured file has been hashed. */
      readonly digest?: Digest;
      /** For how long the value is kept once it is published; absent: for ever. */
      readonly ttlMs?: number;
      /** See {@linkcode Assignment}. */
      readonly owner?: string;
    }
    | {
      readonly status: "ready";
      /** The assignment that published it; absent in rows of the original. */
      readonly id?: Id;
      /** Absent in rows of the original server, until first use. */
      readonly digest?: Digest;
      /** When a path to it was given out last, by the wall clock; absent: never. */
      readonly handedMs?: number;
      /** When its time to live is over, by the wall clock; absent: never. */
      readonly expiresMs?: number;
      /** What computing it took; absent in rows of the original. */
      readonly computedMs?: number;
      /** Of the assignment that published it. */
      readonly owner?: string;
    }
    | { readonly status: "evicting"; readonly id?: Id }
  );

/** What a namespace's ready entries take on disk. */
export interface NamespaceUsage {
  /** The namespace. */
  readonly namespace: string;
  /** How many are ready: at least one. */
  readonly entries: number;
  /** Their sizes in bytes; an entry that has not been measured counts as 0. */
  readonly bytes: number;
}

/** What may be kept of the namespaces that a pattern covers. */
export interface Quota {
  /** `*` for all, `a.*` for everything below `a`, or one namespace. */
  readonly pattern: string;
  /** In bytes of values. */
  readonly maxBytes?: number;
  /** How many values. */
  readonly maxEntries?: number;
}

/** How a disk stands that has to keep some bytes free. */
export interface Disk {
  /** What may still be written; negative: so much is to be freed. */
  readonly roomBytes: number;
  /** What is to stay free of it. */
  readonly keptBytes: number;
  /** What might be written if there were nothing on it. */
  readonly sizeBytes: number;
  /** What is freed beyond that, so that it need not be done again at once. */
  readonly slackBytes: number;
  /** A file takes a whole number of these. */
  readonly blockBytes: number;
  /** How many files it holds; absent: as many as there is room for. */
  readonly files?: DiskFiles;
}

/** How a disk stands that holds only so many files. */
export interface DiskFiles {
  /** How many may still be made; negative: so many have to go. */
  readonly roomFiles: number;
  /** How many of those that could be made are not. */
  readonly keptFiles: number;
  /** How many go beyond that, so that it need not be done again at once. */
  readonly slackFiles: number;
}

/** Says from where a call comes, when somebody wants to know. */
export interface Peer {
  /** An address for people. */
  readonly peer: string;
  /** Which of the calls from there it is; absent: nobody has numbered it. */
  readonly place?: { readonly id: number };
}

/** What the manifest did with a question or a change. */
export type Asked =
  /** There is no row now: nothing was found, or it was removed. */
  | { readonly kind: "none" }
  /** The assignment that was proposed now holds the row. */
  | { readonly kind: "assigned" }
  /** Another row is there, unchanged. */
  | {
    readonly kind: "row";
    readonly row: Row;
    /** When it was found, by the wall clock. */
    readonly wallMs?: number;
  }
  /** The manifest failed, nothing is known. */
  | { readonly kind: "failed"; readonly error: LarderError };

/** Bytes of a value on their way. */
export interface Coming {
  /** The assignment whose value it is. */
  readonly id: Id;
  /** The private file's name. */
  readonly upload: string;
  /** How many of the value there are by now, these included. */
  readonly total: number;
  /** How many of them have not been counted yet; 0: it is announced only. */
  readonly more: number;
  /** How many it will have, as its client said before; 0: it did not. */
  readonly expected: number;
}

/**
 * Something a client asks of the table. Every one ends in one reply; to a
 * patient Get, notices may come before it.
 */
export type Request =
  | {
    readonly kind: "get";
    readonly ticket: Ticket;
    readonly api: Api;
    readonly entry: EntryKey;
    readonly assign: boolean;
    /** Of the value that it may compute: see {@linkcode Assignment}. */
    readonly ttlMs?: number;
    readonly peer?: Peer;
    /** Is told of whoever has the work, and waits, instead of Loading. */
    readonly patient?: true;
    /** Is given a handle, on a file whose bytes were verified for it. */
    readonly fromDisk?: true;
    /** The name of who asks; absent: somebody without one. */
    readonly by?: string;
    /** Why its owner may have no more than they have, if so; absent: they may. */
    readonly over?: (
      what: "assignments" | "handles",
      held: number,
    ) => string | undefined;
    /** May read and no more: nothing changes because of it. */
    readonly reads?: true;
    /** Wants a part of the value, to look at it: that saves nobody anything. */
    readonly looks?: true;
  }
  | {
    readonly kind: "heartbeat";
    readonly ticket: Ticket;
    readonly id: Id;
    /** As of a Get: an id is its owner's alone. */
    readonly by?: string;
    /** Whether its owner may still publish there; absent: they may. */
    readonly mayWrite?: (namespace: string) => boolean;
  }
  | {
    readonly kind: "set";
    readonly ticket: Ticket;
    readonly id: Id;
    readonly peer?: Peer;
    readonly by?: string;
    readonly mayWrite?: (namespace: string) => boolean;
    readonly value: Uint8Array;
  }
  | {
    readonly kind: "done";
    readonly ticket: Ticket;
    readonly id: Id;
    readonly peer?: Peer;
    readonly by?: string;
    readonly mayWrite?: (namespace: string) => boolean;
    /** Is answered when the value is published, however long that takes. */
    readonly patient?: true;
  }
  /** A value that lies whole in a private file. */
  | {
    readonly kind: "offer";
    readonly ticket: Ticket;
    readonly id: Id;
    readonly peer?: Peer;
    readonly by?: string;
    readonly mayWrite?: (namespace: string) => boolean;
    /** The file's name, as a staging name. It stays the caller's, to be discarded. */
    readonly upload: string;
    readonly digest: Digest;
  }
  /** Bytes of a value that comes in pieces, before they are written. */
  | {
    readonly kind: "piece";
    readonly ticket: Ticket;
    readonly peer?: Peer;
  } & Coming
  /** The holder gives the work back. */
  | {
    readonly kind: "abandon";
    readonly ticket: Ticket;
    readonly id: Id;
    readonly by?: string;
  }
  | {
    readonly kind: "drop";
    readonly ticket: Ticket;
    readonly id: Id;
    readonly by?: string;
  }
  /**
   * Takes a ready entry away, unless it is in use; with a digest, `absent` is the
   * answer where it is not this value.
   */
  | {
    readonly kind: "evict";
    readonly ticket: Ticket;
    readonly entry: EntryKey;
    /** In hex. */
    readonly sha256?: string;
    /** Only a value whose time is over; `absent` is the answer for another. */
    readonly over?: true;
  }
  /** Deletes a blob that no row owns; `loading` is the answer where one might. */
  | { readonly kind: "sweep"; readonly ticket: Ticket; readonly name: string };

/** A request before the engine gives it its ticket. */
export type Unticketed<R extends Request> = R extends unknown
  ? Omit<R, "ticket">
  : never;

/** A request of one kind, or of some. */
export type RequestOf<K extends Request["kind"]> = Extract<
  Request,
  { readonly kind: K }
>;

/**
 * What became of an effect. `token` is the effect's own; a result whose token
 * is not the one the entry waits for is stale and changes nothing.
 */
export type Result =
  | {
    readonly kind: "asked";
    readonly name: string;
    readonly token: number;
    readonly asked: Asked;
  }
  /**
   * The answer to `find-id`: the row whose id this is, if there is one. Never
   * fed later than the answers to what the manifest was asked after it.
   */
  | {
    readonly kind: "found-id";
    readonly ticket: Ticket;
    readonly row?: Row;
    readonly error?: LarderError;
  }
  /** How long ago the staging file changed; absent where there is none. */
  | {
    readonly kind: "probed";
    readonly name: string;
    readonly token: number;
    readonly changedAgoMs?: number;
  }
  /** A value was written to its final path. */
  | {
    readonly kind: "stored";
    readonly name: string;
    readonly token: number;
    readonly digest: Digest;
    readonly stamp: Stamp;
  }
  /** A staging file was captured; small ones are hashed in the same breath. */
  | {
    readonly kind: "captured";
    readonly name: string;
    readonly token: number;
    readonly size: number;
    readonly digest?: Digest;
    /** It is larger than may be kept, and lies at its client's path again. */
    readonly givenBack?: true;
    /** It is hashed into a copy, which takes as much of the disk again. */
    readonly isCopied?: true;
  }
  | {
    readonly kind: "hashed";
    readonly name: string;
    readonly token: number;
    readonly digest: Digest;
  }
  /** The digest of a capture is in the manifest. */
  | { readonly kind: "recorded"; readonly name: string; readonly token: number }
  /** A captured file was renamed to its final path. */
  | {
    readonly kind: "installed";
    readonly name: string;
    readonly token: number;
    readonly stamp: Stamp;
  }
  /** The row is Ready. */
  | {
    readonly kind: "persisted";
    readonly name: string;
    readonly token: number;
  }
  /**
   * A step of publishing failed. `lost`: the row is another's, or gone;
   * `missing`: there is no file, neither one to be taken nor one that was.
   */
  | {
    readonly kind: "publish-failed";
    readonly name: string;
    readonly token: number;
    readonly error: LarderError;
    readonly lost?: boolean;
    readonly missing?: boolean;
  }
  /** A verified value, for a remote Get. */
  | {
    readonly kind: "read";
    readonly name: string;
    readonly token: number;
    readonly value: Uint8Array;
  }
  /** A verified file, for a local Get or to complete a row of the original. */
  | {
    readonly kind: "verified";
    readonly name: string;
    readonly token: number;
    readonly digest: Digest;
    readonly stamp: Stamp;
    /** Its row says that it was handed out. */
    readonly handed?: true;
  }
  /** The blob is missing, or its bytes are not those of the manifest. */
  | {
    readonly kind: "damaged";
    readonly name: string;
    readonly token: number;
  }
  /** Reading failed, which says nothing about the blob. */
  | {
    readonly kind: "unreadable";
    readonly name: string;
    readonly token: number;
    readonly error: LarderError;
  }
  /** Evicting or sweeping came to its end: all is gone, or it failed. */
  | {
    readonly kind: "evicted";
    readonly name: string;
    readonly token: number;
    readonly error?: LarderError;
    /** Nothing was done: the value is there as before. */
    readonly stays?: true;
  };

/** Everything `step` takes. */
export type Command =
  | Request
  | Result
  /** There is memory for the value that this request asks for. */
  | { readonly kind: "admitted"; readonly ticket: Ticket }
  /** The caller has gone: whatever has not been answered takes nothing. */
  | { readonly kind: "cancel"; readonly ticket: Ticket }
  /** A row found at start; `captured`: its captured file is still there. */
  | { readonly kind: "restore"; readonly row: Row; readonly captured: boolean }
  /** What the manifest counts as ready, and how the disk stands. */
  | {
    readonly kind: "usage";
    readonly usage: readonly NamespaceUsage[];
    readonly disk?: Disk;
  }
  /** Room has been made, as far as there was anything that could go. */
  | {
    readonly kind: "swept";
    /** The limits, as an excess names them, for which nothing could go. */
    readonly stuck: readonly string[];
    /** Why, for people; absent: all that is kept is in use. */
    readonly why?: string;
  }
  /** Time has passed. */
  | { readonly kind: "tick" }
  /** From then until now the server did not do anything. */
  | {
    readonly kind: "stood-still";
    readonly sinceMs: number;
    readonly ms: number;
  }
  /** No new assignments from now on. */
  | { readonly kind: "drain" }
  /** The drain is over: whoever waits for work is sent to the next process. */
  | { readonly kind: "leave" };

/** Why a client that asked for work gets none; for the log. */
export type UnassignedReason =
  | "too-large"
  | "full"
  /** Whoever asks has as much work, … */
  | "caller-assignments"
  /** … or as many handles as they may. */
  | "caller-handles"
  | "no-room"
  /** The time of the value is over, and somebody still has its file in hands. */
  | "still-read"
  | "stopping"
  | "failed";

/** What is known of a value beside its bytes. */
export interface Times {
  /** What computing it took. */
  readonly computedMs?: number;
  /** How much of its time to live is left; absent: it has no end. */
  readonly ttlMs?: number;
}

/** What a request is answered with. */
export type Reply =
  | {
    readonly kind: "unassigned";
    readonly reason?: UnassignedReason;
    /** More of it, for people. */
    readonly detail?: string;
  }
  | { readonly kind: "loading" }
  | { readonly kind: "assigned"; readonly assignment: Assignment }
  /** The bytes; for a stream with what verifies them. */
  | {
    readonly kind: "value";
    readonly value: Uint8Array;
    readonly digest?: Digest;
    readonly times?: Times;
  }
  /** A handle on the blob of that name: for paths, and for large streams. */
  | {
    readonly kind: "handle";
    readonly id: Id;
    /** The name of whose it is. */
    readonly by?: string;
    readonly name: string;
    readonly digest: Digest;
    readonly stamp: Stamp;
    readonly times?: Times;
  }
  /** To offers and patient Dones: what the id has published. */
  | { readonly kind: "published"; readonly digest: Digest }
  | { readonly kind: "ok" }
  /** Like OK: there was nothing to be taken away. */
  | { readonly kind: "absent" }
  | { readonly kind: "error"; readonly error: LarderError };

/** Something the engine has to do. */
export type Effect =
  | { readonly kind: "reply"; readonly ticket: Ticket; readonly reply: Reply }
  /**
   * Somebody else has the work, or, while the server is stopping, nobody can
   * have it; a patient Get goes on waiting.
   */
  | {
    readonly kind: "notice";
    readonly ticket: Ticket;
    readonly stopping?: true;
    /** For how long it has been computed. */
    readonly computedMs: number;
    /** From where; unknown after a restart. */
    readonly peer?: string;
  }
  /**
   * Take memory for a value of this size, which the request is to be answered
   * with. Comes back as `admitted`; may take its time, or never come.
   */
  | { readonly kind: "admit"; readonly ticket: Ticket; readonly bytes: number }
  /** Give that memory back: the request waits for something else first. */
  | { readonly kind: "dismiss"; readonly ticket: Ticket }
  /** Look the entry up. Result: asked (none | row | failed). */
  | {
    readonly kind: "find";
    readonly entry: EntryKey;
    readonly token: number;
  }
  /** Insert a loading row where there is none. Result: asked (assigned | row | failed). */
  | {
    readonly kind: "claim";
    readonly entry: EntryKey;
    readonly token: number;
    readonly assignment: Assignment;
  }
  /** Give the loading row of `from` to another. Result: asked (assigned | row | none | failed). */
  | {
    readonly kind: "reassign";
    readonly entry: EntryKey;
    readonly token: number;
    readonly from?: Id;
    readonly assignment: Assignment;
  }
  /** Remove the loading row of `id`. Result: asked (none | row | failed). */
  | {
    readonly kind: "abandon";
    readonly entry: EntryKey;
    readonly token: number;
    readonly id?: Id;
    /** The staging file that goes before. */
    readonly discards?: string;
  }
  /** Look an id up. Result: found-id. */
  | { readonly kind: "find-id"; readonly ticket: Ticket; readonly id: Id }
  /** When did the staging file change? Result: probed. */
  | {
    readonly kind: "probe";
    readonly name: string;
    readonly token: number;
    readonly staging: string;
  }
  /** Remove a superseded assignment's staging file. No result. */
  | { readonly kind: "discard"; readonly staging: string }
  /** Write a value to its final path. Result: stored | publish-failed. */
  | {
    readonly kind: "put";
    readonly name: string;
    readonly token: number;
    readonly value: Uint8Array;
  }
  /** Take the staging file away from its client. Result: captured | publish-failed. */
  | {
    readonly kind: "capture";
    readonly name: string;
    readonly token: number;
    readonly staging: string;
    /** A larger file can never be kept, and is given back. */
    readonly mostBytes: number;
    /** What was taken away before, and only that: its client may have been told so. */
    readonly again?: boolean;
    /** Nothing was ever taken away before: there is nothing to look for. */
    readonly first?: boolean;
  }
  /** Hash a captured file. Result: hashed | publish-failed. */
  | {
    readonly kind: "hash";
    readonly name: string;
    readonly token: number;
    readonly staging: string;
    /** What it had when it was captured; what its client adds is left out. */
    readonly size: number;
  }
  /** Write a capture's digest to the loading row. Result: recorded | publish-failed. */
  | {
    readonly kind: "record";
    readonly entry: EntryKey;
    readonly token: number;
    readonly id: Id;
    readonly digest: Digest;
  }
  /** Rename a captured file to its final path. Result: installed | publish-failed. */
  | {
    readonly kind: "install";
    readonly name: string;
    readonly token: number;
    readonly staging: string;
  }
  /** Make the loading row of `id` Ready. Result: persisted | publish-failed. */
  | {
    readonly kind: "persist";
    readonly entry: EntryKey;
    readonly token: number;
    readonly id: Id;
    readonly digest: Digest;
  }
  /** The holder of a row was heard that had a grace: it needs a new one after the next start. No result. */
  | { readonly kind: "renewed"; readonly entry: EntryKey; readonly id: Id }
  /** Complete a Ready row of the original server. No result. */
  | {
    readonly kind: "complete";
    readonly entry: EntryKey;
    readonly id: Id;
    readonly digest: Digest;
  }
  /** A value was given out of memory. No result. */
  | { readonly kind: "used"; readonly entry: EntryKey }
  /** Read and verify a value. Result: read | damaged | unreadable. */
  | {
    readonly kind: "read";
    readonly entry: EntryKey;
    readonly token: number;
    readonly digest: Digest;
    /** Which publish these bytes are of; caches are keyed by it. */
    readonly generation: Id;
  }
  /** Verify a file; cheap where `stamp` still fits. Result: verified | damaged | unreadable. */
  | {
    readonly kind: "verify";
    readonly entry: EntryKey;
    readonly token: number;
    readonly digest?: Digest;
    readonly stamp?: Stamp;
    /** Its row has to say that it is handed out, before it is. */
    readonly hand?: boolean;
  }
  /**
   * Persist Evicting, take the file away (to the quarantine where it is
   * damaged), remove the row. Result: evicted.
   */
  | {
    readonly kind: "evict";
    readonly entry: EntryKey;
    readonly token: number;
    readonly id?: Id;
    readonly damaged: boolean;
  }
  /** Delete a blob that no row owns. Result: evicted. */
  | { readonly kind: "sweep"; readonly name: string; readonly token: number }
  /**
   * A quota is nearly filled: entries have to go; `urgent`: somebody waits for
   * it. Comes back as `swept`.
   */
  | { readonly kind: "make-room"; readonly urgent: boolean }
  /** A client that still sends heartbeats has lost its work to another. No result. */
  | {
    readonly kind: "superseded";
    readonly entry: EntryKey;
    /** Since when it had the work. */
    readonly computedMs: number;
    /** Where it called from; unknown after a restart. */
    readonly peer?: string;
    /** Which of its calls was given the work. */
    readonly call?: number;
  };

/** What the table needs to know of the configuration. */
export interface TableOptions {
  /** A lease without heartbeats ends after this. */
  readonly leaseTimeoutMs: number;
  /** What a loading entry gets after a restart. */
  readonly restartGraceMs: number;
  /** The wall clock when the table is made. */
  readonly startWallMs: number;
  /** How long a handle pins without being renewed. */
  readonly handleLeaseMs: number;
  /** Values above this are never read into memory. */
  readonly maxValueBytes: number;
  /** Work that takes longer goes to another, heartbeats or not; absent: never. */
  readonly maxComputeMs?: number;
  /** What may be kept; all that cover a namespace hold. */
  readonly quotas?: readonly Quota[];
  /** The root was served before: unknown handles may be of that time. */
  readonly servedBefore: boolean;
  /** Fresh ids, never zero, never repeated. */
  readonly newId: () => Id;
  /** Fresh staging names. */
  readonly newStaging: () => string;
  /** Is told what became of requests. */
  readonly observer?: TableObserver;
  /** A value that is in memory; others are read. Absent: none is. */
  readonly inMemory?: (name: string, generation: Id) => Uint8Array | undefined;
  /** Live assignments; above it nobody is assigned. Defaults: limits.ts. */
  readonly maxAssignments?: number;
  /** Live handles; above it local Gets are answered Unassigned. */
  readonly maxHandles?: number;
  /** Values up to this size are read without asking for memory. */
  readonly uncountedBytes?: number;
  /** Ready entries that are remembered without being used. */
  readonly maxResting?: number;
  /** Up to this a stream gets the bytes themselves; above it a handle. */
  readonly streamBytes?: number;
}
