/**
 * A caller that has as much as it may: its turn comes when some of that has
 * ended, and the server says when to look again.
 *
 * @module
 */

import { sleep } from "./backoff.ts";
import { type CacheError, hasCode } from "./cache_error.ts";
import type { EndSignal } from "./ending.ts";
import { retryDelayMs } from "./retry_info.ts";

/** A server that names no time to speak of is not asked more often than that. */
const MIN_DELAY_MS = 50;

/** How long one call waits for its turn, all in all. */
export class Turn {
  readonly #patienceMs: number;
  #endMs: number | undefined;

  /** It counts from the first refusal on. */
  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  /**
   * Waits for as long as the server says.
   *
   * @returns Whether to ask again; `false` at once where the error is another
   * one, or the time would be over by then.
   */
  async comes(
    error: CacheError,
    { signal, wanted }: {
      readonly signal?: EndSignal | undefined;
      readonly wanted?: EndSignal | undefined;
    },
  ): Promise<boolean> {
    const delayMs = hasCode(error, "full")
      ? retryDelayMs(error.cause)
      : undefined;
    if (delayMs === undefined) return false;
    this.#endMs ??= performance.now() + this.#patienceMs;
    const waitMs = Math.max(MIN_DELAY_MS, delayMs);
    if (performance.now() + waitMs > this.#endMs) return false;
    await sleep(waitMs, signal, wanted);
    return true;
  }
}
