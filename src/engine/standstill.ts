/**
 * Notices when the server stood still: the process was stopped, the machine
 * slept, or something kept the event loop. Heartbeats came meanwhile and were
 * not read; whoever sent them must not lose work for it.
 *
 * @module
 */

import type { Clock, Timer } from "../clock.ts";

/** How often it looks while there is work: short against every lease. */
const PULSE_MS = 250;
/** What a busy server is late at times; leases bear it. */
const TOLERANCE_MS = 250;

/** A time in which nothing was done. */
export interface Standstill {
  /** When it began at the earliest, on the monotonic clock. */
  readonly sinceMs: number;
  /** From then until now. */
  readonly ms: number;
}

/** A timer that comes often, and notices when it did not. */
export class Pulse {
  readonly #clock: Clock;
  readonly #beat: () => void;
  #timer: Timer | undefined;
  #beganMs = 0;
  #dueMs = Infinity;

  /** Calls `beat` at each beat that it was armed for. */
  constructor(clock: Clock, beat: () => void) {
    this.#clock = clock;
    this.#beat = beat;
  }

  /** There is work: it beats once more. */
  arm(nowMs: number): void {
    if (this.#timer) return;
    this.#beganMs = nowMs;
    this.#dueMs = nowMs + PULSE_MS;
    this.#timer = this.#clock.setTimer(PULSE_MS, () => {
      this.#timer = undefined;
      this.#beat();
    });
  }

  /** There is no work, and so nothing to be late for. */
  rest(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#dueMs = Infinity;
  }

  /** The standstill that has just ended; told once, to whoever looks first. */
  look(nowMs: number): Standstill | undefined {
    if (nowMs - this.#dueMs <= TOLERANCE_MS) return undefined;
    const sinceMs = this.#beganMs;
    this.#dueMs = Infinity;
    return { sinceMs, ms: nowMs - sinceMs };
  }
}
