/**
 * The loop that accepts. `for await` over a listener ends for ever at the first
 * error, and a bare loop spins 55,000 times a second while descriptors are short.
 *
 * @module
 */

import {
  ACCEPTS_PER_TURN,
  MAX_ACCEPT_PAUSE_MS,
  MIN_ACCEPT_PAUSE_MS,
} from "./limits.ts";
import { nextTurn } from "./turns.ts";

/** What accepting needs. */
export interface AcceptOptions<T> {
  /** Waits for the next connection. */
  readonly accept: () => Promise<T>;
  /** Takes it; what it throws concerns that connection alone. */
  readonly take: (connection: T) => void;
  /** Whether an error is the client's, who left before it was its turn. */
  readonly isAborted: (error: unknown) => boolean;
  /** Whether the listener is closed. */
  readonly isClosing: () => boolean;
  /** Takes a line for the log. */
  readonly warn: (message: string, cause?: unknown) => void;
  /** Waits; by default on a timer. */
  readonly pause?: (ms: number) => Promise<void>;
}

/** Accepts until the listener is closed. */
export async function acceptAll<T>(options: AcceptOptions<T>): Promise<void> {
  const { accept, take, isAborted, isClosing, warn } = options;
  const pause = options.pause ?? wait;
  let pauseMs = MIN_ACCEPT_PAUSE_MS;
  for (let count = 1; !isClosing(); count++) {
    // Accepted connections are there at once, as long as there are any.
    if (count % ACCEPTS_PER_TURN === 0) await new Promise<void>(nextTurn);
    let connection: T;
    try {
      connection = await accept();
    } catch (error) {
      if (isClosing()) return;
      if (isAborted(error)) continue;
      // Once, however long it lasts.
      if (pauseMs === MIN_ACCEPT_PAUSE_MS) {
        warn(`cannot accept connections now, trying on: ${error}`);
      }
      await pause(pauseMs);
      pauseMs = Math.min(2 * pauseMs, MAX_ACCEPT_PAUSE_MS);
      continue;
    }
    pauseMs = MIN_ACCEPT_PAUSE_MS;
    try {
      take(connection);
    } catch (error) {
      warn("a connection was lost as it was accepted", error);
    }
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
