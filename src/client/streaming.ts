/**
 * Values as streams: read from a cache, kept by it, or produced for it.
 *
 * @module
 */

import type { Body, Entry } from "./backend.ts";
import type { Compute, TransferOptions } from "./call_options.ts";
import { orAbandon, started } from "./computing.ts";
import type { LenientTier } from "./lenient_tier.ts";
import {
  asStream,
  checkSource,
  type Source,
  streamOf,
  type TransferEvents,
} from "./transfer.ts";

/** A call that gives a stream, or takes one. */
export interface Streaming {
  readonly cache: LenientTier;
  readonly entry: Entry;
  readonly options: TransferOptions & { readonly wait?: boolean };
  /** Ends the call. */
  readonly signal: AbortSignal;
  /** Ends also what has come of it: the cache was closed. */
  readonly closed: AbortSignal;
}

/** What is kept, if it is. */
export async function readStream(
  call: Streaming,
): Promise<ReadableStream<Uint8Array> | undefined> {
  const { cache, entry, options, signal } = call;
  const claim = await cache.askToRead(entry, options, signal);
  return claim?.kind === "ready" ? outlasting(call, claim.body) : undefined;
}

/** Keeps a stream; whether it was kept. What is there already stays. */
export async function keepStream(
  call: Streaming,
  value: Source,
): Promise<boolean> {
  const { cache, entry, signal } = call;
  const claim = await cache.askToCompute(entry, signal);
  if (claim.kind === "ready") await claim.body.release();
  if (claim.kind !== "assigned") return false;
  return await cache.publish(entry, claim.held, {
    value,
    events: eventsOf(call),
    wanted: signal,
  });
}

/** What is kept; or it is produced, kept, and then read from there. */
export async function producedStream(
  call: Streaming,
  produce: Compute<Source>,
): Promise<ReadableStream<Uint8Array>> {
  const { cache, entry, signal } = call;
  const claim = await cache.askToCompute(entry, signal);
  if (claim.kind === "ready") return outlasting(call, claim.body);
  if (claim.kind === "assigned") {
    const value = await orAbandon(claim.held, async () => {
      const source = await started(produce, signal);
      checkSource(source);
      return source;
    });
    const events = eventsOf(call);
    await cache.publish(entry, claim.held, { value, events, wanted: signal });
    const again = await cache.askToRead(entry, {}, signal);
    if (again?.kind === "ready") return outlasting(call, again.body);
  }
  return asStream(await started(produce, signal));
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
