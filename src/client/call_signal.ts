/**
 * When a call ends: its signal, its deadline, or the cache being closed.
 *
 * @module
 */

import { CacheError } from "./cache_error.ts";
import type { EndSignal } from "./ending.ts";
import { LinkedSignal } from "./linked_signal.ts";

/** In milliseconds, 24.8 days: a longer timer would end at once. */
export const MAX_TIMER_MS: number = 2 ** 31 - 1;

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
  bounds: Bounds,
  closed: EndSignal,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  using bound = new Bound(bounds, closed);
  return await run(bound.signal);
}

/** The bounds of a call, which count until it has ended. */
export class Bound implements Disposable {
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  /** A program may be given it. */
  readonly #ended = new AbortController();
  readonly #any: LinkedSignal;

  /** The deadline counts from now on. */
  constructor({ signal, deadlineMs }: Bounds, closed: EndSignal) {
    const ended = this.#ended;
    if (deadlineMs !== undefined && deadlineMs <= MAX_TIMER_MS) {
      this.#timer = setTimeout(() => {
        const message = `the deadline of ${deadlineMs} ms has passed`;
        ended.abort(new CacheError("deadline", message));
      }, deadlineMs);
    }
    const any = this.#any = new LinkedSignal(closed, signal);
    const end = () => ended.abort(any.reason);
    if (any.aborted) end();
    else any.addEventListener("abort", end);
  }

  /** Aborted when the call is to end. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** The call has ended. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#any[Symbol.dispose]();
  }
}
