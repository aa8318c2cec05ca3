/**
 * Shares out the turns of the event loop. What one connection does in a turn is
 * bounded, but hundreds of busy ones in a row would still keep all others
 * waiting. So those that have much to do get together what one may take, one
 * after the other; those that have little are served at once.
 *
 * @module
 */

import { TURN_MS } from "./limits.ts";
import { nextTurn } from "./turns.ts";

/** The turns of all connections of a process. */
export class FairTurns {
  #spentMs = 0;
  #isScheduled = false;
  /** Whoever was let in last has not said yet how long it worked. */
  #isOneIn = false;
  readonly #waiting: (() => void)[] = [];

  /** Whether whoever has much to do is to wait for a later turn. */
  get isSpent(): boolean {
    return this.#spentMs >= TURN_MS || this.#waiting.length > 0;
  }

  /** Resolves when it is one's turn; `worked` then says how long one took. */
  next(): Promise<void> {
    this.#schedule();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Somebody has worked for so long. */
  worked(ms: number): void {
    this.#spentMs += ms;
    this.#schedule();
    if (!this.#isOneIn) return;
    this.#isOneIn = false;
    if (this.#spentMs < TURN_MS) this.#letIn();
  }

  #letIn(): void {
    const next = this.#waiting.shift();
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
