/**
 * What a store said when it was asked last: how full the disk is, what is kept.
 *
 * @module
 */

import type { Clock } from "../clock.ts";

/** A disk that takes longer is in trouble, and that is when people look most. */
const PATIENCE_MS = 500;

/** The last answer to a question. */
export class Known<T> {
  /** Absent as long as there was none. */
  current: T | undefined;
  readonly #ask: () => Promise<T>;
  readonly #clock: Clock;
  #asking: Promise<void> | undefined;
  #askedMs = -Infinity;

  /** Asks nothing yet. */
  constructor(ask: () => Promise<T>, clock: Clock) {
    this.#ask = ask;
    this.#clock = clock;
  }

  /**
   * Asks, one at a time, and waits no longer than is good.
   *
   * @param maxAgeMs What was answered to a question of so long ago is good enough.
   */
  async refresh(maxAgeMs = 0): Promise<void> {
    const nowMs = this.#clock.nowMs();
    if (!this.#asking) {
      if (maxAgeMs > 0 && nowMs - this.#askedMs <= maxAgeMs) return;
      this.#askedMs = nowMs;
      this.#asking = this.#answer();
    }
    const late = Promise.withResolvers<void>();
    const timer = this.#clock.setTimer(PATIENCE_MS, late.resolve);
    await Promise.race([this.#asking, late.promise]);
    timer.cancel();
  }

  async #answer(): Promise<void> {
    try {
      this.current = await this.#ask();
    } catch {
      // What was known stays: whoever is in trouble says so elsewhere.
    } finally {
      this.#asking = undefined;
    }
  }
}
