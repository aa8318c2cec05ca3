/**
 * When to stop, and when to stop at once.
 *
 * @module
 */

/**
 * Ctrl-C reaches a process more than once: from the terminal, and again from
 * `deno task` and npx, which pass it on. What comes within this time is one
 * press.
 */
export const ONE_PRESS_MS = 1_000;

/** Collects requests to stop from signals, a closing stdin or a caller. */
export class StopRequests {
  readonly #nowMs: () => number;
  readonly #requested = Promise.withResolvers<void>();
  readonly #forced = Promise.withResolvers<void>();
  #requestedAtMs: number | undefined;
  #isInterrupted = false;

  /** Time is given for tests; it is monotonic. */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** Resolves when a stop is asked for. */
  get requested(): Promise<void> {
    return this.#requested.promise;
  }

  /** Resolves when it is to happen at once. */
  get forced(): Promise<void> {
    return this.#forced.promise;
  }

  /** Whether a stop was asked for. */
  get isRequested(): boolean {
    return this.#requestedAtMs !== undefined;
  }

  /** Whether somebody at a terminal has asked for it. */
  get isInterrupted(): boolean {
    return this.#isInterrupted;
  }

  /** Asks for a graceful stop; repeating it changes nothing. */
  request(): void {
    if (this.#requestedAtMs !== undefined) return;
    this.#requestedAtMs = this.#nowMs();
    this.#requested.resolve();
  }

  /** Ctrl-C: a graceful stop, or, when one has been under way, a forced one. */
  interrupt(): void {
    const sinceMs = this.#nowMs() - (this.#requestedAtMs ?? Infinity);
    if (sinceMs >= ONE_PRESS_MS) this.#forced.resolve();
    this.#isInterrupted = true;
    this.request();
  }
}
