/**
 * Goes through messages that clients sent ahead a few at a time.
 *
 * A message can be 5 bytes small, and a packet holds thousands. All of them in one
 * turn of the event loop would keep everybody else waiting.
 *
 * @module
 */

import { TURN_MS } from "../http2/limits.ts";
import { MESSAGES_PER_TURN } from "./limits.ts";

/** The turns of all streams of a server. */
export class MessageTurns {
  readonly #nextTurn: (work: () => void) => void;
  readonly #nowMs: () => number;
  #taken = 0;
  /** When the time of this turn is over. */
  #endMs = 0;
  #isScheduled = false;
  readonly #waiting: (() => void)[] = [];

  /**
   * @param nextTurn Calls once, in a later turn of the event loop.
   * @param nowMs A clock: a turn has its time, as well.
   */
  constructor(nextTurn: (work: () => void) => void, nowMs: () => number) {
    this.#nextTurn = nextTurn;
    this.#nowMs = nowMs;
  }

  /** How many messages wait for their turn. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Takes a message, now or, after too many in this turn, in a later one. */
  take(take: () => void): void {
    if (!this.#isScheduled) this.#begin();
    const isNow = this.#waiting.length === 0 && this.#hasRoom();
    if (!isNow) return void this.#waiting.push(take);
    this.#taken++;
    take();
  }

  #begin(): void {
    this.#taken = 0;
    this.#endMs = this.#nowMs() + TURN_MS;
    this.#isScheduled = true;
    this.#nextTurn(() => this.#turn());
  }

  #turn(): void {
    this.#isScheduled = false;
    if (this.#waiting.length === 0) return;
    this.#begin();
    this.#step();
  }

  /** One at a time: what its handler does with a message counts as well. */
  #step(): void {
    if (this.#waiting.length === 0 || !this.#hasRoom()) return;
    this.#taken++;
    this.#waiting.shift()!();
    queueMicrotask(() => this.#step());
  }

  #hasRoom(): boolean {
    return this.#taken < MESSAGES_PER_TURN && this.#nowMs() < this.#endMs;
  }
}
