/**
 * How long to wait before a server that died is started again.
 *
 * @module
 */

const FIRST_WAIT_MS = 100;
/** Clients poll for up to a minute: waiting longer would only lose them. */
const MAX_WAIT_MS = 5_000;
/** A server that lived this long did not die of how it was started. */
const STABLE_AFTER_MS = 60_000;

/** Doubles the wait from death to death; the first restart is immediate. */
export class Backoff {
  #deaths = 0;

  /**
   * Counts a death.
   *
   * @param livedMs How long the server had lived.
   * @returns How long to wait before the next start, in milliseconds.
   */
  nextWaitMs(livedMs: number): number {
    if (livedMs >= STABLE_AFTER_MS) this.#deaths = 0;
    this.#deaths++;
    if (this.#deaths === 1) return 0;
    // The exponent is bounded so that years of deaths stay a number.
    const doublings = Math.min(this.#deaths - 2, 16);
    return Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** doublings);
  }
}
