/**
 * Computes what a cache has given out the work for.
 *
 * @module
 */

import { unlessAborted } from "./backoff.ts";
import type { Entry } from "./backend.ts";
import type { Compute, Generated, GenerateOptions } from "./call_options.ts";
import type { Codec } from "./codecs/mod.ts";
import type { LenientTier } from "./lenient_tier.ts";
import { encodeError } from "./stored_error.ts";
import type { Held } from "./tier.ts";

/** What is computed, and how. */
export interface Computation<T> {
  readonly entry: Entry;
  readonly compute: Compute<T>;
  readonly codec: Codec<T>;
  readonly options: GenerateOptions<T>;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Computes a value and publishes it; or its error, if that is asked for. */
export async function computeHeld<T>(
  held: Held,
  { entry, compute, codec, options, signal }: Computation<T>,
  cache: LenientTier,
): Promise<Generated<T>> {
  let value: T;
  try {
    value = await started(compute, signal);
  } catch (error) {
    const { cacheErrors = false } = options;
    const isKept = !signal.aborted &&
      (typeof cacheErrors === "boolean" ? cacheErrors : cacheErrors(error));
    if (isKept) await cache.publish(entry, held, encodeError(error), options);
    else await held.abandon("the computation failed");
    throw error;
  }
  const bytes = await orAbandon(held, async () => await codec.encode(value));
  const isKept = await cache.publish(entry, held, bytes, options);
  return { value, source: isKept ? "computed" : "uncached" };
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
    await held.abandon("the computation failed");
    throw error;
  }
}
