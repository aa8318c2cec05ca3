/**
 * Spreads bytes over time.
 *
 * @module
 */

/** So much of what was not used may be used later. */
const BURST_MS = 1_000;

/** Remembers until when all that came is paid for. */
export class Pace {
  #paidMs = -Infinity;

  /**
   * Counts bytes that are going to come.
   *
   * @param perSecond How many a second are paid for.
   * @returns After how many milliseconds those before them are paid for.
   */
  take(bytes: number, perSecond: number, nowMs: number): number {
    const fromMs = Math.max(this.#paidMs, nowMs - BURST_MS);
    this.#paidMs = fromMs + bytes / perSecond * 1_000;
    return Math.max(0, fromMs - nowMs);
  }

  /** Some of them do not come. */
  giveBack(bytes: number, perSecond: number): void {
    this.#paidMs -= bytes / perSecond * 1_000;
  }
}
