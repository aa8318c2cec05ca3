/**
 * How long to go on, and when to stop waiting.
 *
 * @module
 */

import {
  clearTimeout as clearNodeTimeout,
  setTimeout as nodeTimeout,
} from "node:timers";
import { Backoff, sleep } from "./backoff.ts";
import type { EndSignal } from "./ending.ts";

const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 2_000;
/** Looks at the event loop this often while something is waited for. */
const TURNS = 5;

/** How long something is tried that fails, with growing pauses between. */
export class Patience {
  readonly #ms: number;
  readonly #backoff = new Backoff(FIRST_RETRY_MS, MAX_RETRY_MS);
  #endMs: number | undefined;

  /** It counts from the first failure on. */
  constructor(ms: number) {
    this.#ms = ms;
  }

  /** Pauses after a failure; `false` at once if there is no time left. */
  async pause(signal?: EndSignal): Promise<boolean> {
    this.#endMs ??= performance.now() + this.#ms;
    const waitMs = this.#backoff.nextMs();
    if (performance.now() + waitMs > this.#endMs) return false;
    await sleep(waitMs, signal);
    return true;
  }
}

/**
 * Runs `then` after some time in which nothing came. Time in which a computation
 * blocked the event loop does not count: what has come was not looked at.
 *
 * @returns Stops it.
 */
export function afterSilence(ms: number, then: () => void): () => void {
  let turns = TURNS;
  const look = () => {
    if (--turns === 0) then();
    else timer = wait();
  };
  // What is waited for keeps the process alive by itself.
  const wait = () => nodeTimeout(look, ms / TURNS).unref();
  let timer = wait();
  return () => clearNodeTimeout(timer);
}
