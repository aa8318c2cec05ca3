/**
 * Knows that the disk takes no values at the moment, so that nobody computes
 * one for nothing; finds out by itself when it does again.
 *
 * @module
 */

import type { Clock, Timer } from "../clock.ts";
import { BlobError, type BlobErrorCode } from "./blob_store.ts";

/** How often a rehearsal is repeated while writing fails. */
const RETRY_MS = 1_000;
/** Failures that the next value may meet as well. */
const TROUBLE: readonly BlobErrorCode[] = ["full", "failed"];

/** Trouble from the first write that fails to the first rehearsal that does not. */
export class DiskTrouble {
  readonly #rehearse: () => Promise<void>;
  readonly #clock: Clock;
  #current: BlobError | undefined;
  #timer: Timer | undefined;
  #closed = false;

  /** `rehearse` writes a value and removes it. */
  constructor(rehearse: () => Promise<void>, clock: Clock) {
    this.#rehearse = rehearse;
    this.#clock = clock;
  }

  /** Why no value can be kept now, if so. */
  get current(): BlobError | undefined {
    return this.#current;
  }

  /** Passes a write on, and notes its failure. */
  watch<T>(writing: Promise<T>): Promise<T> {
    // Before whoever gets this promise hears of the failure.
    writing.then(undefined, (error) => this.#note(error));
    return writing;
  }

  #note(error: unknown): void {
    const isTrouble = error instanceof BlobError &&
      TROUBLE.includes(error.code);
    if (!isTrouble || this.#current || this.#closed) return;
    this.#current = error;
    void this.#retry();
  }

  /** Looks no more whether it has ended. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  async #retry(): Promise<void> {
    try {
      await this.#rehearse();
      this.#current = undefined;
    } catch (error) {
      if (error instanceof BlobError) this.#current = error;
      if (this.#closed) return;
      this.#timer = this.#clock.setTimer(RETRY_MS, () => this.#retry());
    }
  }
}
