/**
 * How programs call a cache, and what they get.
 *
 * @module
 */

import type { Bounds } from "./call_signal.ts";
import {
  abortSignal,
  callable,
  codecLike,
  flag,
  flagOrCallable,
  type KnownOptions,
  lifetime,
  milliseconds,
} from "./checked_options.ts";
import type { Codec } from "./codecs/mod.ts";
import type { Origin } from "./tier.ts";
import type { OnProgress } from "./transfer.ts";

/** What bounds a call, and who is told of large values on their way. */
export interface TransferOptions extends Bounds {
  /** Told whenever a piece of the value has come or gone. */
  readonly onProgress?: OnProgress | undefined;
}

/** How to keep a value that was not computed in the call. */
export interface WriteOptions extends TransferOptions {
  /** Whether to replace a value that is there already; by default not. */
  readonly overwrite?: boolean | undefined;
  /** For how long to keep it, in milliseconds from now; by default for ever. */
  readonly ttlMs?: number | undefined;
}

/** How to get or produce a large value. */
export interface ProduceOptions extends TransferOptions {
  /** For how long to keep it, in milliseconds from when it is published. */
  readonly ttlMs?: number | undefined;
}

/** How to read a value. */
export interface GetOptions<T> extends TransferOptions {
  /** What reads the bytes; JSON by default. */
  readonly codec?: Codec<T> | undefined;
  /** Whether to wait while somebody computes it; by default not. */
  readonly wait?: boolean | undefined;
}

/** How to write a value. */
export interface SetOptions<T> extends WriteOptions {
  /** What writes the bytes; JSON by default. */
  readonly codec?: Codec<T> | undefined;
}

/** How to ask for an entry, and for the work on it. */
export interface ClaimOptions extends Bounds {
  /** Whether to wait while somebody computes it; by default so. */
  readonly wait?: boolean | undefined;
  /** For how long to keep what is published, in milliseconds; by default for ever. */
  readonly ttlMs?: number | undefined;
}

/** How to get or compute a value. */
export interface GenerateOptions<T> extends ProduceOptions {
  /** What writes and reads the bytes; JSON by default. */
  readonly codec?: Codec<T> | undefined;
  /** Which errors of the computation to keep like values; by default none. */
  readonly cacheErrors?: boolean | ((error: unknown) => boolean) | undefined;
  /** Whether to compute when no server answers; by default so. */
  readonly computeWhenDown?: boolean | undefined;
}

/**
 * The options of calls. Programs keep those of several calls in one object, so
 * each call takes them all.
 */
export const CALL_OPTIONS: Readonly<
  Record<
    | keyof GenerateOptions<unknown>
    | keyof GetOptions<unknown>
    | keyof SetOptions<unknown>,
    KnownOptions[string]
  >
> = {
  signal: abortSignal,
  deadlineMs: milliseconds,
  onProgress: callable,
  codec: codecLike,
  wait: flag,
  overwrite: flag,
  ttlMs: lifetime,
  cacheErrors: flagOrCallable,
  computeWhenDown: flag,
};

/** A value, and where it came from. */
export interface Generated<T> {
  /** The value. Callers that shared one computation share the object. */
  readonly value: T;
  /** A tier, or `computed`; `uncached`: computed, but not kept by anybody. */
  readonly source: Origin | "computed" | "uncached";
  /**
   * What computing it had taken, in milliseconds, which was saved: of a value
   * that was found, where the server knows it.
   */
  readonly savedMs?: number;
}

/** Computes a value; the signal is aborted when nobody wants it any more. */
export type Compute<T> = (signal: AbortSignal) => T | PromiseLike<T>;
