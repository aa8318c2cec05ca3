/**
 * Values as streams: read from a cache, kept by it, or produced for it.
 *
 * @module
 */

import type { Body, Entry } from "./backend.ts";
import { unlessAborted } from "./backoff.ts";
import type { ClaimOptions, Compute, TransferOptions } from "./call_options.ts";
import { CacheError, hasCode } from "./cache_error.ts";
import { inUse } from "./catalog_base.ts";
import { MAX_TRIES, orAbandon } from "./computing.ts";
import type { EndSignal } from "./ending.ts";
import { formatKeyInput, type KeyInput } from "./keys.ts";
import type { LenientTier } from "./lenient_tier.ts";
import { Produced } from "./produced.ts";
import type { Claim } from "./tier.ts";
import {
  asStream,
  type Source,
  streamOf,
  type TransferEvents,
} from "./transfer.ts";

/** A call that gives a stream, or takes one. */
export interface Streaming {
  readonly cache: LenientTier;
  /** Names it in messages. */
  readonly name: string;
  readonly entry: Entry;
  readonly options: TransferOptions & ClaimOptions;
  /** Ends the call. */
  readonly signal: AbortSignal;
  /** Ends also what has come of it: the cache was closed. */
  readonly closed: EndSignal;
}

/** What is kept, if it is. */
export async function readStream(
  call: Streaming,
): Promise<ReadableStream<Uint8Array> | undefined> {
  const { cache, entry, options, signal } = call;
  const claim = await cache.askToRead(entry, options, signal);
  return claim?.kind === "ready" ? outlasting(call, claim.body) : undefined;
}

/** How a stream is kept, and what a message calls it. */
export interface Keeping {
  /** Whether to replace a value that is there already. */
  readonly overwrite?: boolean | undefined;
  /** What the cache is made of. */
  readonly name: string;
  readonly key: KeyInput;
}

/** Keeps a stream; whether it was kept. What is there already may stay. */
export async function keepStream(
  call: Streaming,
  value: Source,
  keeping: Keeping,
): Promise<boolean> {
  const { cache, entry, options, signal } = call;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const claim = await cache.askToCompute(entry, options, signal);
    if (claim.kind === "assigned") {
      return await cache.publish(entry, claim.held, {
        value,
        events: eventsOf(call),
        wanted: signal,
      });
    }
    if (claim.kind !== "ready") break;
    await claim.body.release();
    if (!keeping.overwrite) break;
    // Each tier may have one, and others may be quicker than we are.
    await makeWay(call, claim, keeping);
  }
  return false;
}

/** Takes a value away that another one is to take the place of. */
async function makeWay(
  { entry: { namespace }, signal }: Streaming,
  { remove }: Extract<Claim, { kind: "ready" }>,
  { name, key }: Keeping,
): Promise<void> {
  if (!remove) {
    throw new CacheError(
      "unimplemented",
      `${name}: cannot replace ${namespace} ${formatKeyInput(key)}: ` +
        "an original server removes nothing",
    );
  }
  try {
    await unlessAborted(remove(), signal);
  } catch (error) {
    if (!hasCode(error, "in-use")) throw error;
    throw inUse(name, "replace", namespace, key);
  }
}

/** What is kept; or it is produced, kept, and then read from there. */
export async function producedStream(
  call: Streaming,
  produce: Compute<Source>,
): Promise<ReadableStream<Uint8Array>> {
  const { cache, entry, options, signal } = call;
  const claim = await cache.askToCompute(entry, options, signal);
  if (claim.kind === "ready") return outlasting(call, claim.body);
  const produced = new Produced(produce, call);
  if (claim.kind === "assigned") {
    const value = await orAbandon(claim.held, () => produced.begin());
    const events = eventsOf(call);
    await cache.publish(entry, claim.held, { value, events, wanted: signal });
    const again = await cache.askToRead(entry, {}, signal);
    if (again?.kind === "ready") return outlasting(call, again.body);
  }
  return asStream(await produced.next());
}

function eventsOf({ options, signal }: Streaming): TransferEvents {
  return { onProgress: options.onProgress, signal };
}

/** It outlives the call, and so does what ends it, but for the deadline. */
function outlasting(
  { options: { onProgress, signal }, closed }: Streaming,
  body: Body,
): ReadableStream<Uint8Array> {
  return streamOf(body, onProgress, signal, closed);
}
