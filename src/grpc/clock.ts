/**
 * Time, as calls see it.
 *
 * @module
 */

/** A monotonic clock, and a way to be woken. */
export interface Clock {
  /** Milliseconds since some moment in the past. */
  nowMs(): number;
  /** Calls `wake` once, no earlier than `delayMs` from now, in a turn of its own. */
  setTimer(delayMs: number, wake: () => void): {
    /** Makes sure it is not called any more. */
    cancel(): void;
  };
}
