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
  #isScheduled = false;
  #waiting: (() => void)[] = [];

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
    const isNow = this.#taken < MESSAGES_PER_TURN && this.#waiting.length === 0;
    if (!isNow) this.#waiting.push(take);
    else this.#taken++;
    this.#schedule();
    if (isNow) take();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#nextTurn(() => this.#turn());
  }

  #turn(): void {
    this.#isScheduled = false;
    const next = this.#waiting.splice(0, MESSAGES_PER_TURN);
    this.#taken = next.length;
    if (next.length > 0) this.#schedule();
    const endMs = this.#nowMs() + TURN_MS;
    for (let at = 0; at < next.length;) {
      next[at++]!();
      if (this.#nowMs() < endMs) continue;
      this.#waiting.unshift(...next.slice(at));
      break;
    }
  }
}
