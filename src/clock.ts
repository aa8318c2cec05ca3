/**
 * Time as the engine sees it, injected so that tests and the simulation own it.
 *
 * @module
 */

/** A pending timer; `cancel` is idempotent. */
export interface Timer {
  /** Makes sure the timer does not fire any more. */
  cancel(): void;
}

/** The two clocks of the server, and a way to be woken. */
export interface Clock {
  /** Milliseconds on a monotonic clock: leases live on this one. */
  nowMs(): number;
  /** Milliseconds since the Unix epoch: only for what is written to disk. */
  wallMs(): number;
  /** Calls `wake` once, no earlier than `delayMs` from now. */
  setTimer(delayMs: number, wake: () => void): Timer;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  setTimer(delayMs, wake) {
    const handle = setTimeout(wake, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
};

/** A clock that moves only when it is told to. */
export class FakeClock implements Clock {
  #nowMs = 0;
  readonly #epochMs: number;
  readonly #timers = new Set<{ dueMs: number; wake: () => void }>();

  /** Starts at zero, at the given wall time. */
  constructor(epochMs = 1_700_000_000_000) {
    this.#epochMs = epochMs;
  }

  /** {@inheritDoc Clock.nowMs} */
  nowMs(): number {
    return this.#nowMs;
  }

  /** {@inheritDoc Clock.wallMs} */
  wallMs(): number {
    return this.#epochMs + this.#nowMs;
  }

  /** {@inheritDoc Clock.setTimer} */
  setTimer(delayMs: number, wake: () => void): Timer {
    const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), wake };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  /** Moves time on like a process that is stopped: what is due fires later. */
  jump(byMs: number): void {
    this.#nowMs += byMs;
  }

  /** Moves time on and fires what is due, earliest first. */
  advance(byMs: number): void {
    const endMs = this.#nowMs + byMs;
    for (;;) {
      let next: { dueMs: number; wake: () => void } | undefined;
      for (const timer of this.#timers) {
        if (timer.dueMs <= endMs && (!next || timer.dueMs < next.dueMs)) {
          next = timer;
        }
      }
      if (!next) break;
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.wake();
    }
    this.#nowMs = endMs;
  }
}
