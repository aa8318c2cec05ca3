/**
 * Waits between attempts.
 *
 * @module
 */

import {
  clearTimeout as clearNodeTimeout,
  setTimeout as nodeTimeout,
} from "node:timers";
import type { EndSignal } from "./ending.ts";

/** Waits that grow, each of a random length so that clients spread out. */
export class Backoff {
  readonly #maxMs: number;
  #nextMs: number;

  /**
   * @param firstMs The longest first wait.
   * @param maxMs The longest of all.
   */
  constructor(firstMs: number, maxMs: number) {
    this.#nextMs = firstMs;
    this.#maxMs = maxMs;
  }

  /** The next wait in milliseconds: between the half and the whole of a bound that doubles. */
  nextMs(): number {
    const boundMs = Math.min(this.#nextMs, this.#maxMs);
    this.#nextMs = boundMs * 2;
    return boundMs * (1 + Math.random()) / 2;
  }
}

/**
 * Waits; rejects with the signal's reason when it is aborted. The process lives
 * for it until `wanted` is aborted.
 */
export function sleep(
  ms: number,
  signal?: EndSignal,
  wanted?: EndSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      clearNodeTimeout(timer);
      wanted?.removeEventListener("abort", onUnwanted);
      reject(signal!.reason);
    };
    const timer = nodeTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      wanted?.removeEventListener("abort", onUnwanted);
      resolve();
    }, ms);
    const onUnwanted = () => void timer.unref();
    if (wanted?.aborted) onUnwanted();
    else wanted?.addEventListener("abort", onUnwanted, { once: true });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** What a promise resolves to, or the signal's reason if that comes first. */
export function unlessAborted<T>(
  promise: Promise<T>,
  signal: EndSignal,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    const stop = () => signal.removeEventListener("abort", onAbort);
    promise.then((value) => {
      stop();
      resolve(value);
    }, (error) => {
      stop();
      reject(error);
    });
  });
}
