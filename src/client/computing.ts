/**
 * Finds a value or computes it, when a cache has given out the work.
 *
 * @module
 */

import { unlessAborted } from "./backoff.ts";
import type { Entry } from "./backend.ts";
import type { Compute, Generated, GenerateOptions } from "./call_options.ts";
import { asBytes } from "./codecs/codec.ts";
import type { Codec } from "./codecs/mod.ts";
import { valueOf } from "./kept.ts";
import type { LenientTier } from "./lenient_tier.ts";
import { encodeError } from "./stored_error.ts";
import type { Held } from "./tier.ts";

/** More than anybody has tiers, each of which may have a value of its own. */
export const MAX_TRIES = 8;

/** What is computed, and how. */
export interface Computation<T> {
  readonly entry: Entry;
  readonly compute: Compute<T>;
  readonly codec: Codec<T>;
  readonly options: GenerateOptions<T>;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Finds it, or computes it; what cannot be read gives way to what can. */
export async function found<T>(
  computation: Computation<T>,
  cache: LenientTier,
): Promise<Generated<T>> {
  const { entry, compute, codec, options, signal } = computation;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const claim = await cache.askToCompute(entry, options, signal);
    if (claim.kind === "assigned") {
      return await computeHeld(claim.held, computation, cache);
    }
    if (claim.kind !== "ready") break;
    const reading = { ...options, codec };
    const kept = await cache.whole(entry, claim, reading, signal);
    if (!kept) break;
    if (kept.kind !== "unreadable") {
      return {
        value: valueOf(kept),
        source: claim.origin,
        ...claim.computedMs !== undefined && { savedMs: claim.computedMs },
      };
    }
    if (!await cache.discard(entry, claim, kept.error, signal)) break;
  }
  const value = await started(compute, signal);
  return { value, source: "uncached" };
}

/** Computes a value and publishes it; or its error, if that is asked for. */
async function computeHeld<T>(
  held: Held,
  { entry, compute, codec, options, signal }: Computation<T>,
  cache: LenientTier,
): Promise<Generated<T>> {
  // What has been computed is published even when nobody waits for it any
  // more: the next who asks would have to compute it again.
  const publish = (value: Uint8Array) =>
    cache.publish(entry, held, {
      value,
      events: { onProgress: options.onProgress },
      wanted: signal,
    });
  let value: T;
  try {
    value = await started(compute, signal);
  } catch (error) {
    await orAbandon(held, async () => {
      if (signal.aborted || !isToBeKept(error, options)) throw error;
      await publish(encodeError(error));
    });
    throw error;
  }
  let bytes: Uint8Array;
  try {
    bytes = asBytes(codec.name, await codec.encode(value));
  } catch (error) {
    // It may have taken hours: whoever computed it gets it all the same.
    void held.abandon("the value cannot be written by its codec");
    cache.notKept(entry, error);
    return { value, source: "uncached" };
  }
  return { value, source: await publish(bytes) ? "computed" : "uncached" };
}

function isToBeKept<T>(
  error: unknown,
  { cacheErrors = false }: GenerateOptions<T>,
): boolean {
  return typeof cacheErrors === "boolean" ? cacheErrors : cacheErrors(error);
}

/** Runs a function; the signal's reason if that comes first. */
export async function started<T>(
  compute: Compute<T>,
  signal: AbortSignal,
): Promise<T> {
  const run = async () => await compute(signal);
  return await unlessAborted(run(), signal);
}

/** Runs a function; gives the work back when it fails. */
export async function orAbandon<T>(
  held: Held,
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    // Not awaited: the caller is to have its own error at once.
    void held.abandon("the computation failed");
    throw error;
  }
}
