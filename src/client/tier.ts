/**
 * Where values can be found, and where work is given out: what caches are made
 * of.
 *
 * @module
 */

import type { Body, CallOptions, FetchRequest } from "./backend.ts";
import type { TierCatalog } from "./catalog.ts";
import type { Source, TransferEvents } from "./transfer.ts";

/** Where a value came from. */
export type Origin = "memory" | "local" | "remote";

/** How to publish. When the signal is aborted, the work is given back. */
export interface PublishOptions extends TransferEvents {
  /**
   * Of a stream, in bytes, where that is known before: it may be refused for it,
   * and has room made for it on a full disk.
   */
  readonly expectedSize?: number | undefined;
  /**
   * For how long to go on without hearing from a server, in milliseconds; by
   * default the patience of the cache.
   */
  readonly patienceMs?: number | undefined;
  /**
   * Aborted when nobody waits for it any more: it goes on for whoever asks next,
   * and keeps the process alive only while something moves.
   */
  readonly wanted?: AbortSignal | undefined;
}

/** The right and the duty to compute the value of an entry. */
export interface Held extends AsyncDisposable {
  /** Aborted when the work has gone to somebody else, or the cache is closed. */
  readonly signal: AbortSignal;
  /**
   * Publishes the value; resolves when it is kept. When it fails, the work is
   * given back.
   *
   * @throws {CacheError} It is not kept; `lost`: somebody else has the work;
   * `closed`: the cache is closed.
   * @throws What reading the value has thrown.
   */
  publish(value: Source, options?: PublishOptions): Promise<void>;
  /** Gives the work back. Never fails; does nothing once published. */
  abandon(reason?: string): Promise<void>;
}

/** What asking for an entry came to. */
export type Claim =
  | {
    readonly kind: "ready";
    readonly body: Body;
    readonly origin: Origin;
    /** What computing it took, in milliseconds, as far as that is known. */
    readonly computedMs?: number;
    /** How much of its time to live is left, in milliseconds; absent: it has no end. */
    readonly ttlMs?: number;
    /** Keeps the value where it will be found sooner; never fails. */
    readonly keep?: (value: Uint8Array) => Promise<void>;
    /**
     * Takes this value away, but not another one that has come in its place.
     * Release it first.
     *
     * @throws {CacheError} It is still there.
     */
    readonly remove?: () => Promise<void>;
  }
  | { readonly kind: "assigned"; readonly held: Held }
  /** Somebody else computes it. Only if nobody wanted to wait. */
  | { readonly kind: "loading" }
  /** Compute it for yourself; nothing will be kept. */
  | { readonly kind: "unassigned"; readonly reason: string };

/** Something that keeps values. */
export interface Tier extends AsyncDisposable {
  /** Names it in messages: `remote 10.0.0.7:28056`. */
  readonly name: string;
  /** Looks at what it keeps, and takes it away; absent: it can do neither. */
  readonly catalog?: TierCatalog;
  /**
   * Asks for an entry.
   *
   * @throws {CacheError} `unavailable` when it does not answer.
   */
  ask(request: FetchRequest, options: CallOptions): Promise<Claim>;
  /** Lets go of it all. */
  close(): Promise<void>;
}

/** A tier that does not answer, or that failed to keep a value. */
export interface Outage {
  /** The tier's name. */
  readonly tier: string;
  /** What happened. */
  readonly error: Error;
  /** What the program was about: for messages. */
  readonly namespace: string;
}

/** Told of every call that went on without a tier. */
export type OnOutage = (outage: Outage) => void;
