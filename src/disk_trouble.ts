/**
 * Knows that a store takes no writes at the moment, so that nobody computes for
 * nothing, and people are told; finds out by itself when it does again.
 *
 * @module
 */

import type { Clock, Timer } from "./clock.ts";

/** How often a rehearsal is repeated while writing fails. */
const RETRY_MS = 1_000;

/** What a {@linkcode DiskTrouble} needs. */
export interface DiskTroubleOptions<E> {
  /** Writes something for itself. */
  readonly rehearse: () => Promise<unknown>;
  /** Whether the next write may fail for it as well. */
  readonly isTrouble: (error: unknown) => error is E;
  /** Says when to rehearse again. */
  readonly clock: Clock;
}

/** Trouble from the first write that fails to the first rehearsal that does not. */
export class DiskTrouble<E> {
  readonly #options: DiskTroubleOptions<E>;
  #current: E | undefined;
  #timer: Timer | undefined;
  #closed = false;

  /** There is none yet. */
  constructor(options: DiskTroubleOptions<E>) {
    this.#options = options;
  }

  /** Why nothing can be kept now, if so. */
  get current(): E | undefined {
    return this.#current;
  }

  /** Passes a write on, and notes its failure. */
  watch<T>(writing: Promise<T>): Promise<T> {
    // Before whoever gets this promise hears of the failure.
    writing.then(undefined, (error) => this.note(error));
    return writing;
  }

  /** A write has failed. */
  note(error: unknown): void {
    const isNew = !this.#current && !this.#closed;
    if (!isNew || !this.#options.isTrouble(error)) return;
    this.#current = error;
    void this.#retry();
  }

  /** Looks no more whether it has ended. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  async #retry(): Promise<void> {
    const { rehearse, isTrouble, clock } = this.#options;
    try {
      await rehearse();
      this.#current = undefined;
    } catch (error) {
      if (isTrouble(error)) this.#current = error;
      if (this.#closed) return;
      this.#timer = clock.setTimer(RETRY_MS, () => this.#retry());
    }
  }
}
