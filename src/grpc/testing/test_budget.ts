/**
 * A request budget that a test can look into.
 *
 * @module
 */

import type { Releasable, RequestBudget } from "../request_budget.ts";

/** First come, first served; all or nothing. */
export class TestBudget implements RequestBudget {
  readonly #totalBytes: number;
  readonly #waiting: { bytes: number; grant: () => void }[] = [];
  /** What was asked for, in order. */
  readonly asked: number[] = [];
  /** What is taken. */
  usedBytes = 0;

  /** Has so many bytes. */
  constructor(totalBytes = Infinity) {
    this.#totalBytes = totalBytes;
  }

  get contended(): boolean {
    return this.#waiting.length > 0;
  }

  take(
    _owner: object,
    bytes: number,
    signal?: AbortSignal,
  ): Releasable | Promise<Releasable> {
    this.asked.push(bytes);
    if (this.#waiting.length === 0 && this.#fits(bytes)) {
      return this.#grant(bytes);
    }
    return new Promise((resolve, reject) => {
      const waiter = { bytes, grant: () => resolve(this.#grant(bytes)) };
      this.#waiting.push(waiter);
      signal?.addEventListener("abort", () => {
        const place = this.#waiting.indexOf(waiter);
        if (place >= 0) this.#waiting.splice(place, 1);
        reject(signal.reason);
      });
    });
  }

  #fits(bytes: number): boolean {
    return this.usedBytes === 0 || this.usedBytes + bytes <= this.#totalBytes;
  }

  #grant(bytes: number): Releasable {
    this.usedBytes += bytes;
    let isHeld = true;
    return {
      release: () => {
        if (!isHeld) throw new Error("released twice");
        isHeld = false;
        this.usedBytes -= bytes;
        while (
          this.#waiting.length > 0 && this.#fits(this.#waiting[0]!.bytes)
        ) {
          this.#waiting.shift()!.grant();
        }
      },
    };
  }
}
