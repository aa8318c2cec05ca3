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
    bytes = await codec.encode(value);
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
    // Nobody who has an error to hear of waits for that.
    void held.abandon("the computation failed");
    throw error;
  }
}
