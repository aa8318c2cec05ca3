/**
 * Asks for the output of a command, or for the work of running it.
 *
 * @module
 */

import { messageOf } from "../../errors.ts";
import { CacheError, hasCode } from "../../client/cache_error.ts";
import { MAX_TIMER_MS } from "../../client/call_signal.ts";
import type { Claim } from "../../client/tier.ts";
import type { Entry } from "../../client/backend.ts";
import type { Addresses } from "../addresses.ts";
import { afterSilence } from "../../client/patience.ts";
import type { Server } from "../server.ts";
import { quicklyExplained } from "../who_answers.ts";
import { CONTACT_MS, contactOf } from "./contact.ts";
import type { Reporter } from "./report.ts";
import { WaitingLine } from "./waiting_line.ts";

/** When it is found out whether a server that has not answered yet is there. */
const DOUBT_MS = 1_000;

/** What bounds the waiting. */
export interface ClaimOptions {
  /** Where the server is. */
  readonly addresses: Addresses;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** For how long somebody else may run the same; `undefined`: for ever. */
  readonly waitMs: number | undefined;
  /** Is told that it takes time. */
  readonly reporter: Reporter;
  /** Whether to take the work on; by default it is. */
  readonly assign?: boolean;
  /** Whether to wait while somebody else runs the same; by default it is. */
  readonly wait?: boolean;
}

/** There is neither the output nor the work. */
export interface Nothing {
  readonly kind: "nothing";
  readonly reason: string;
}

/**
 * Asks, and waits while somebody else runs the same.
 *
 * @throws {CacheError} `invalid`: a mistake, and better found at once.
 */
export async function claim(
  server: Server,
  entry: Entry,
  options: ClaimOptions,
): Promise<Claim | Nothing> {
  const { addresses, signal, waitMs, reporter } = options;
  const late = new AbortController();
  // So long a time is as good as none.
  const timer = waitMs === undefined || waitMs > MAX_TIMER_MS
    ? undefined
    : setTimeout(
      () => late.abort(new Error("somebody else runs it for too long")),
      waitMs,
    );
  // Nobody is said to run it whom the server has not named.
  const waiting = new WaitingLine(reporter);
  const stopDoubt = afterSilence(DOUBT_MS, async () => {
    // It may wait for somebody else, and it may wait for nobody.
    const ms = CONTACT_MS - DOUBT_MS;
    const contact = await contactOf(addresses, entry, { signal: ended, ms });
    if (contact.addresses) return;
    late.abort(new CacheError("unavailable", contact.reason));
  });
  const ended = AbortSignal.any([signal, late.signal]);
  try {
    const { assign = true, wait = true } = options;
    const request = { ...entry, assign, wait };
    return await server.cache.ask(request, {
      signal: ended,
      onWaiting: (holder) => waiting.is(holder),
    });
  } catch (error) {
    if (hasCode(error, "invalid")) throw error;
    if (late.signal.aborted) {
      return { kind: "nothing", reason: messageOf(late.signal.reason) };
    }
    const why = await quicklyExplained(error, addresses);
    return { kind: "nothing", reason: messageOf(why) };
  } finally {
    stopDoubt();
    clearTimeout(timer);
    waiting.end();
  }
}
