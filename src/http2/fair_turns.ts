/**
 * Shares out the turns of the event loop. What one connection does in a turn is
 * bounded, but hundreds of busy ones in a row would still keep all others
 * waiting. So those that have much to do get together what one may take, one
 * after the other; those that have little are served at once. Whoever asks for
 * little and is slow all the same, be it by chance, waits for those alone that are
 * like it.
 *
 * @module
 */

import { TURN_MS } from "./limits.ts";
import { nextTurn } from "./turns.ts";

/** The turns of all connections of a process. */
export class FairTurns {
  readonly #nowMs: () => number;
  #spentMs = 0;
  #isScheduled = false;
  /** Whoever was let in last has not said yet how long it worked. */
  #isOneIn = false;
  readonly #waiting: (() => void)[] = [];
  /** Those of them that ask for little; they and the others take turns. */
  readonly #small: (() => void)[] = [];
  #wasSmall = false;
  /** When somebody said last that it has worked … */
  #workedMs = 0;
  /** … which is yet to be counted up to when its handlers have gone on … */
  #isCounting = false;
  /** … and who waits longest comes next. */
  #isNextDue = false;

  /** What handlers go on with after `worked` is measured on this clock. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Whether whoever has much to do is to wait for a later turn. */
  get isSpent(): boolean {
    return this.#spentMs >= TURN_MS || this.#waiting.length > 0 ||
      this.#small.length > 0;
  }

  /**
   * Resolves when it is one's turn; `worked` then says how long one took.
   *
   * @param isSmall Whether it is little that one has to do.
   */
  next(isSmall: boolean = false): Promise<void> {
    this.#schedule();
    const waiting = isSmall ? this.#small : this.#waiting;
    return new Promise((resolve) => waiting.push(resolve));
  }

  /** Somebody has worked for so long, and so may what it has called. */
  worked(ms: number): void {
    this.#spentMs += ms;
    this.#schedule();
    this.#isNextDue ||= this.#isOneIn;
    this.#isOneIn = false;
    this.#workedMs = this.#nowMs();
    if (this.#isCounting) return;
    this.#isCounting = true;
    // Handlers that waited for a promise go on before this.
    queueMicrotask(() => this.#count());
  }

  #count(): void {
    this.#isCounting = false;
    this.#spentMs += this.#nowMs() - this.#workedMs;
    if (!this.#isNextDue) return;
    this.#isNextDue = false;
    if (this.#spentMs < TURN_MS) this.#letIn();
  }

  #letIn(): void {
    const isSmall = this.#waiting.length === 0 ||
      (this.#small.length > 0 && !this.#wasSmall);
    this.#wasSmall = isSmall;
    const next = (isSmall ? this.#small : this.#waiting).shift();
    this.#isOneIn = next !== undefined;
    next?.();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    nextTurn(() => this.#turn());
  }

  #turn(): void {
    this.#isScheduled = false;
    this.#spentMs = 0;
    this.#letIn();
    if (this.#isOneIn) this.#schedule();
  }
}
