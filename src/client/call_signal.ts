/**
 * When a call ends: its signal, its deadline, or the cache being closed.
 *
 * @module
 */

import { CacheError } from "./cache_error.ts";
import { LinkedSignal } from "./linked_signal.ts";

/** In milliseconds, 24.8 days: a longer timer would end at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** What bounds a call. */
export interface Bounds {
  /** Ends the call with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Ends the call after so many milliseconds, with `deadline`. Of a call that
   * gives a stream: until there is one.
   */
  readonly deadlineMs?: number | undefined;
}

/** Runs a call within its bounds. */
export async function within<T>(
  { signal, deadlineMs }: Bounds,
  closed: AbortSignal,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const ended = new AbortController();
  const timer = deadlineMs === undefined || deadlineMs > MAX_TIMER_MS
    ? undefined
    : setTimeout(() => {
      const message = `the deadline of ${deadlineMs} ms has passed`;
      ended.abort(new CacheError("deadline", message));
    }, deadlineMs);
  using any = new LinkedSignal(ended.signal, closed, signal);
  try {
    return await run(any.signal);
  } finally {
    clearTimeout(timer);
  }
}
