/**
 * How late the event loop is: what every call of that moment was kept waiting.
 *
 * @module
 */

import type { Clock, Timer } from "../clock.ts";
import { Histogram } from "./histogram.ts";

/** Often enough to meet what lasts for some milliseconds, at next to no cost. */
const LOOK_MS = 100;

/** Looks from time to time, until it is disposed. */
export class LoopDelay implements Disposable {
  /** By how much looks were late. */
  readonly delays: Histogram = new Histogram();
  readonly #clock: Clock;
  #timer: Timer;

  /** Begins to look. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#timer = this.#arm();
  }

  #arm(): Timer {
    const dueMs = this.#clock.nowMs() + LOOK_MS;
    return this.#clock.setTimer(LOOK_MS, () => {
      this.delays.add(Math.max(0, this.#clock.nowMs() - dueMs));
      this.#timer = this.#arm();
    });
  }

  /** Looks no more. */
  [Symbol.dispose](): void {
    this.#timer.cancel();
  }
}
