/**
 * Says when a cache is away, for it breaks nothing that would show it.
 *
 * @module
 */

import { CacheError } from "./cache_error.ts";
import type { OnOutage, Outage } from "./tier.ts";

/** Whether a program can go on without the cache after this error. */
export function isOutage(error: unknown): error is CacheError {
  return error instanceof CacheError && error.code !== "invalid" &&
    error.code !== "closed" && error.code !== "deadline";
}

/** Tells whoever wants to know; by default, people, once for each tier. */
export class Outages {
  readonly #listener: OnOutage | undefined;
  readonly #said = new Set<string>();

  /** Without a listener it warns on the console. */
  constructor(listener: OnOutage | undefined) {
    this.#listener = listener;
  }

  /** A call goes on without a tier. */
  report(outage: Outage): void {
    if (this.#listener) return this.#listener(outage);
    if (this.#said.has(outage.tier)) return;
    this.#said.add(outage.tier);
    console.warn(`larder: going on without the cache: ${outage.error.message}`);
  }
}
