/**
 * Holds back what a caller sends who may send only so many bytes a second.
 *
 * @module
 */

import type { Clock } from "./clock.ts";
import type { CountedCaller } from "./counted_caller.ts";
import {
  INITIAL_WINDOW_BYTES,
  MAX_PACED_MS,
  PACED_STEP_BYTES,
} from "./limits.ts";
import { exhausted } from "./retry_info.ts";
import type { StatusError } from "./status.ts";

/** What comes of one request. */
export class UploadPace {
  readonly #caller: CountedCaller;
  readonly #clock: Clock;
  #timer: ReturnType<Clock["setTimer"]> | undefined;
  /** What the timer waits with. */
  #waitingBytes = 0;
  /** Of the window that a stream begins with. */
  #comeBytes = 0;
  /** Window that is still to be opened. */
  #owedBytes = 0;

  /** Nothing has come yet. */
  constructor(caller: CountedCaller, clock: Clock) {
    this.#caller = caller;
    this.#clock = clock;
  }

  /** What is too small to be held back is counted all the same. */
  count(bytes: number): void {
    this.#caller.pace(bytes, this.#clock.nowMs());
  }

  /**
   * Calls once a message of so many bytes may come, or be handled.
   *
   * @returns Why it may not, where that would take too long.
   */
  after(bytes: number, then: () => void): StatusError | undefined {
    const delayMs = this.#caller.pace(bytes, this.#clock.nowMs());
    if (delayMs > MAX_PACED_MS) {
      this.#caller.unpace(bytes);
      return exhausted(this.#caller.tooFast(delayMs), delayMs);
    }
    if (delayMs === 0) then();
    else this.#wait(bytes, delayMs, then);
    return undefined;
  }

  /** Bytes of a streaming request have come: those of its first window count now. */
  arrived(bytes: number): void {
    const counted = Math.min(bytes, INITIAL_WINDOW_BYTES - this.#comeBytes);
    if (counted <= 0) return;
    this.#comeBytes += counted;
    this.count(counted);
  }

  /** Opens the window of a streaming request further, as fast as may be. */
  open(bytes: number, allow: (bytes: number) => void): void {
    this.#owedBytes += bytes;
    if (!this.#timer) this.#open(allow);
  }

  #open(allow: (bytes: number) => void): void {
    let openedBytes = 0;
    while (this.#owedBytes > 0 && !this.#timer) {
      const bytes = Math.min(this.#owedBytes, PACED_STEP_BYTES);
      this.#owedBytes -= bytes;
      const delayMs = this.#caller.pace(bytes, this.#clock.nowMs());
      if (delayMs === 0) openedBytes += bytes;
      else {
        this.#wait(bytes, Math.min(delayMs, MAX_PACED_MS), () => {
          allow(bytes);
          this.#open(allow);
        });
      }
    }
    if (openedBytes > 0) allow(openedBytes);
  }

  /** What still waits does not come. */
  end(): void {
    this.#owedBytes = 0;
    if (!this.#timer) return;
    this.#timer.cancel();
    this.#timer = undefined;
    this.#caller.unpace(this.#waitingBytes);
  }

  #wait(bytes: number, delayMs: number, then: () => void): void {
    this.#waitingBytes = bytes;
    this.#timer = this.#clock.setTimer(delayMs, () => {
      this.#timer = undefined;
      then();
    });
  }
}
