/**
 * Bounds frames that cause work without progress. They are paid from an account
 * that time and progress fill again, so that no honest client, however busy or
 * however patient, ever runs out of it.
 *
 * @module
 */

import { ConnectionError, ErrorCode } from "./error_codes.ts";
import { CREDIT, CREDIT_PER_SECOND } from "./limits.ts";

/** The account of one connection. */
export class Account {
  #credit = CREDIT;
  #filledMs: number;

  /** Opens it full. */
  constructor(nowMs: number) {
    this.#filledMs = nowMs;
  }

  /**
   * Pays for a frame.
   *
   * @throws {ConnectionError} When there is not enough.
   */
  pay(cost: number, nowMs: number, what: string): void {
    this.#credit -= cost;
    if (this.#credit >= 0) return;
    const seconds = (nowMs - this.#filledMs) / 1_000;
    this.#filledMs = nowMs;
    this.#credit += Math.min(CREDIT, seconds * CREDIT_PER_SECOND);
    if (this.#credit >= 0) return;
    throw new ConnectionError(
      ErrorCode.ENHANCE_YOUR_CALM,
      `too many frames without progress (${what})`,
    );
  }

  /** A call was answered, or DATA moved. */
  progress(credit: number): void {
    if (this.#credit < CREDIT) this.#credit += credit;
  }
}
