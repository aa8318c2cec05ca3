/**
 * Memory for requests, taken before they are in memory.
 *
 * @module
 */

import { GONE } from "./call_end.ts";

/** Bytes that were taken. */
export interface Releasable {
  /** Gives them back. */
  release(): void;
}

/** Shares memory between connections, in turn. */
export interface RequestBudget {
  /** Whether somebody waits. */
  readonly contended: boolean;
  /**
   * Takes bytes, all of them or, where there is no room, none until there is.
   * `owner` is the connection; `signal` ends the waiting.
   */
  take(
    owner: object,
    bytes: number,
    signal?: AbortSignal,
  ): Releasable | Promise<Releasable>;
}

/** What one call holds of a budget: one grant at a time, which it may change. */
export class RequestGrant {
  readonly #budget: RequestBudget | undefined;
  readonly #owner: object;
  #held: Releasable | undefined;
  #waiting: AbortController | undefined;
  #hasEnded = false;

  /**
   * @param budget Without one everything is granted.
   * @param owner Who shares memory fairly with others.
   */
  constructor(budget: RequestBudget | undefined, owner: object) {
    this.#budget = budget;
    this.#owner = owner;
  }

  /** Whether room is waited for. */
  get isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  /**
   * Asks for bytes. What is held is given back before: whoever waits for more
   * while holding some can wait for ever.
   *
   * @param bytes How many.
   * @param settled Called once when they are granted, or with why they are not;
   * not after the end.
   */
  ask(bytes: number, settled: (refusal?: unknown) => void): void {
    if (this.#hasEnded) return;
    this.#release();
    if (this.#budget === undefined) return settled();
    const waiting = new AbortController();
    this.#waiting = waiting;
    let taken: Releasable | Promise<Releasable>;
    try {
      taken = this.#budget.take(this.#owner, bytes, waiting.signal);
    } catch (refusal) {
      this.#waiting = undefined;
      return settled(refusal);
    }
    if (!(taken instanceof Promise)) {
      this.#waiting = undefined;
      this.#held = taken;
      return settled();
    }
    taken.then((grant) => {
      if (this.#hasEnded) return grant.release();
      this.#waiting = undefined;
      this.#held = grant;
      settled();
    }, (refusal) => {
      if (this.#hasEnded) return;
      this.#waiting = undefined;
      settled(refusal ?? new Error("no memory was granted"));
    });
  }

  /** Gives back what is held, and waits for nothing any more. */
  end(): void {
    this.#hasEnded = true;
    this.#release();
    this.#waiting?.abort(GONE);
    this.#waiting = undefined;
  }

  #release(): void {
    this.#held?.release();
    this.#held = undefined;
  }
}
