/**
 * Time in which the program has looked at what has come.
 *
 * @module
 */

import {
  clearTimeout as clearNodeTimeout,
  setTimeout as nodeTimeout,
} from "node:timers";

/** How often it is looked whether something has come. */
export const TURN_MS = 100;
/** What is a little late is counted whole: later, the program has computed. */
const LATE_MS = 100;

/**
 * Turns of the event loop that are counted, and the clock that they make. It goes
 * on only while there are turns, and while the program computes without a pause
 * it stands still: what has come in that time is not looked at.
 */
export class Turns {
  readonly #look: () => number | undefined;
  #timer: ReturnType<typeof nodeTimeout> | undefined;
  #countedMs = 0;
  #lookedMs = 0;
  #waitMs = 0;

  /**
   * @param look What is done at each turn; returns how long to wait for the next
   * one at the most, or `undefined` when there is nothing more to look at.
   */
  constructor(look: () => number | undefined) {
    this.#look = look;
  }

  /** What has been counted, in milliseconds. */
  get nowMs(): number {
    if (this.#timer === undefined) return this.#countedMs;
    const ms = performance.now() - this.#lookedMs;
    return this.#countedMs + Math.min(ms, this.#waitMs + LATE_MS);
  }

  /** Counts, until there is nothing more to look at. */
  start(): void {
    if (this.#timer !== undefined) return;
    this.#lookedMs = performance.now();
    this.#wait(TURN_MS);
  }

  #wait(ms: number): void {
    this.#waitMs = ms;
    // Whatever is waited for keeps the process alive, as far as somebody waits.
    this.#timer = nodeTimeout(() => this.#turn(), ms).unref();
  }

  #turn(): void {
    this.#countedMs = this.nowMs;
    this.#lookedMs = performance.now();
    const ms = this.#look();
    if (ms !== undefined) return this.#wait(Math.min(ms, TURN_MS));
    clearNodeTimeout(this.#timer);
    this.#timer = undefined;
  }
}
