/**
 * Bounds frames that cause work without progress. They are paid from an account
 * that time and progress fill again, so that no honest client, however busy or
 * however patient, ever runs out of it.
 *
 * @module
 */

import { ConnectionError, ErrorCode } from "./error_codes.ts";
import {
  BYTES_PER_UPDATE,
  CREDIT,
  CREDIT_PER_SECOND,
  MAX_TINY_FRAMES,
  PROGRESS_CREDIT,
  TINY_FRAME_BYTES,
  TINY_FRAMES_PER_CALL,
} from "./limits.ts";

/** The account of one connection. */
export class Account {
  #credit = CREDIT;
  #filledMs: number;
  #tinyFrames = 0;

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
    if (this.#credit < 0) calm(`too many frames without progress (${what})`);
  }

  /** A call was answered, or DATA came. */
  progress(): void {
    if (this.#credit < CREDIT) this.#credit += PROGRESS_CREDIT;
  }

  /** DATA left: its reader pays for it with window updates, however small. */
  moved(bytes: number): void {
    if (this.#credit < CREDIT) this.#credit += bytes / BYTES_PER_UPDATE;
  }

  /** A call began: small ones are sent in a frame or two. */
  callBegan(): void {
    if (this.#tinyFrames > 0) {
      this.#tinyFrames = Math.max(0, this.#tinyFrames - TINY_FRAMES_PER_CALL);
    }
  }

  /**
   * Counts a DATA frame of the client.
   *
   * @throws {ConnectionError} When it sends its requests in shreds.
   */
  dataCame(bytes: number): void {
    if (bytes >= TINY_FRAME_BYTES) {
      if (this.#tinyFrames > 0) this.#tinyFrames--;
      this.progress();
    } else if (++this.#tinyFrames > MAX_TINY_FRAMES) {
      calm("too many tiny DATA frames");
    }
  }
}

function calm(reason: string): never {
  throw new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, reason);
}
