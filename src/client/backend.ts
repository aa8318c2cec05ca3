/**
 * What a server does for a client, whichever of its services does it.
 *
 * @module
 */

import type { EndSignal } from "./ending.ts";

/** The key of an entry, as servers know it. */
export interface Entry {
  /** Dot-separated identifiers. */
  readonly namespace: string;
  /** Opaque bytes. */
  readonly key: Uint8Array;
}

/** What is asked of a server about an entry. */
export interface FetchRequest extends Entry {
  /** Whether to take the work on when nobody has it. */
  readonly assign: boolean;
  /** Whether to wait while somebody computes it. */
  readonly wait: boolean;
  /** Whether the server is to verify its file, even if memory has the value. */
  readonly fromDisk?: boolean;
  /** With `assign`: for how long a value is kept that is published for it. */
  readonly ttlMs?: number | undefined;
}

/** A value that a server has. */
export interface Body {
  /** In bytes. */
  readonly size: number;
  /** All of them, where they are here already; not to be changed. */
  readonly whole?: Uint8Array | undefined;
  /** The bytes, once. Whoever stops early ends the transfer. */
  chunks(): AsyncIterable<Uint8Array>;
  /** Lets go of what the server keeps for the reader; when read, or not wanted. */
  release(): Promise<void>;
}

/** The work on an entry, as a server gives it out. */
export interface Work {
  /** The assignment's id. */
  readonly id: string;
  /** How often to send heartbeats. */
  readonly heartbeatIntervalMs: number;
  /** Where to write the value, if it is handed over as a file. */
  readonly path?: string;
  /** Aborted when the server cannot be told any more which work is meant. */
  readonly lost?: AbortSignal;
}

/** The answer of a server about an entry. */
export type Fetched =
  | {
    readonly kind: "ready";
    readonly body: Body;
    /** What computing it took, in milliseconds, where a service says so. */
    readonly computedMs?: number;
    /** How much of its time to live is left; absent: it has no end. */
    readonly ttlMs?: number;
    /** Takes this value away, where a service knows how. Release it first. */
    readonly remove?: () => Promise<void>;
  }
  | { readonly kind: "assigned"; readonly work: Work }
  /** Somebody else computes it. Only if nobody wanted to wait. */
  | { readonly kind: "loading" }
  /** Nobody has it, and nothing is given out for it. */
  | { readonly kind: "unassigned"; readonly reason: string };

/** What ends a call before its time. */
export interface CallOptions {
  /** Ends the call. */
  readonly signal?: AbortSignal | undefined;
  /** Aborted when nobody waits for it any more: no process is to live for it. */
  readonly wanted?: AbortSignal | undefined;
  /**
   * Others have something of it: when nobody waits for it any more, it goes on,
   * and the process lives as long as something moves.
   */
  readonly isForOthers?: boolean | undefined;
  /**
   * Told when the connection has fallen silent and another one takes its place:
   * the call is kept open for a moment, and may be answered yet. Where absent, it
   * fails then.
   */
  readonly onLeft?: ((error: unknown) => void) | undefined;
  /** Told when the server has answered, though not yet with what was wanted. */
  readonly onContact?: (() => void) | undefined;
  /** Told whom one waits for, and again when that changes. */
  readonly onWaiting?: ((holder: Holder) => void) | undefined;
}

/** Who has the work that is waited for, as far as the server knows. */
export interface Holder {
  /** Where they call from; empty: that is not known, or nobody has it. */
  readonly holder: string;
  /** For how long they have had it, in milliseconds. */
  readonly computingMs: number;
}

/** The same within the library. */
export interface AskOptions extends Omit<CallOptions, "signal" | "wanted"> {
  /** Ends the call. */
  readonly signal?: EndSignal | undefined;
  /** Aborted when nobody waits for it any more. */
  readonly wanted?: EndSignal | undefined;
}

/** How to publish. */
export interface PublishCallOptions extends AskOptions {
  /** Of the value, in bytes; `undefined`: nobody knows yet. */
  readonly expectedSize?: number | undefined;
}

/** How to send a heartbeat. */
export interface BeatOptions extends AskOptions {
  /** The longest that it may take. */
  readonly timeoutMs: number;
  /** Through another connection than the one that did not answer. */
  readonly isAgain: boolean;
}

/**
 * For calls that only let go of something: the server finds out by itself, and
 * whoever has a result to return must not wait for long.
 */
export const LET_GO_TIMEOUT_MS = 2_000;

/** Of what nobody ever waits for. */
export const NOBODY: AbortSignal = AbortSignal.abort();

/** What goes into a value: bytes, or pieces of them. */
export type Pieces = Uint8Array | AsyncIterable<Uint8Array>;

/** One service of one server. Errors are those of grpc-js. */
export interface Backend {
  /** Asks for an entry. */
  fetch(request: FetchRequest, options: AskOptions): Promise<Fetched>;
  /** Renews a lease. */
  heartbeat(id: string, options: BeatOptions): Promise<void>;
  /** Publishes a value, or without one the file at the assigned path. */
  publish(
    id: string,
    value: Pieces | undefined,
    options: PublishCallOptions,
  ): Promise<void>;
  /** Gives the work back, where a service knows how. */
  abandon(id: string, reason: string, options: AskOptions): Promise<void>;
}
