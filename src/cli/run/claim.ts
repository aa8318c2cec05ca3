/**
 * Asks for the output of a command, or for the work of running it.
 *
 * @module
 */

import { messageOf } from "../../errors.ts";
import { hasCode } from "../../client/cache_error.ts";
import type { Claim } from "../../client/tier.ts";
import type { Entry } from "../../client/backend.ts";
import type { Server } from "../server.ts";
import type { Reporter } from "./report.ts";

/** Longer than a server that is away is given to answer. */
const SILENT_MS = 3_000;

/** What bounds the waiting. */
export interface ClaimOptions {
  /** Ends it. */
  readonly signal: AbortSignal;
  /** For how long somebody else may run the same; `undefined`: for ever. */
  readonly waitMs: number | undefined;
  /** Is told why there is nothing. */
  readonly reporter: Reporter;
}

/**
 * Asks, and waits while somebody else runs the same.
 *
 * @returns The output or the work; `undefined`: there is neither.
 * @throws {CacheError} `invalid`: a mistake, and better found at once.
 */
export async function claim(
  server: Server,
  entry: Entry,
  { signal, waitMs, reporter }: ClaimOptions,
): Promise<Claim | undefined> {
  const late = new AbortController();
  const timer = waitMs === undefined ? undefined : setTimeout(
    () => late.abort(new Error("somebody else runs it for too long")),
    waitMs,
  );
  const told = setTimeout(() => reporter.waiting(), SILENT_MS);
  try {
    const request = { ...entry, assign: true, wait: true };
    return await server.cache.ask(request, {
      signal: AbortSignal.any([signal, late.signal]),
    });
  } catch (error) {
    if (hasCode(error, "invalid")) throw error;
    if (!signal.aborted) {
      reporter.warn(`running without the cache: ${messageOf(error)}`);
    }
    return undefined;
  } finally {
    clearTimeout(timer);
    clearTimeout(told);
  }
}
