/**
 * Says when a cache is away, for it breaks nothing that would show it.
 *
 * @module
 */

import { messageOf } from "../errors.ts";
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

  /** A call goes on without a tier. What the listener throws is not the call's. */
  report(outage: Outage): void {
    const { tier, error } = outage;
    if (!this.#listener) {
      return this.#warn(tier, "going on without the cache", error);
    }
    const failed = (thrown: unknown) =>
      this.#warn("", "onOutage has thrown", thrown);
    try {
      // One that is async fails later.
      Promise.resolve(this.#listener(outage)).catch(failed);
    } catch (thrown) {
      failed(thrown);
    }
  }

  #warn(about: string, what: string, error: unknown): void {
    if (this.#said.has(about)) return;
    this.#said.add(about);
    console.warn(`larder: ${what}: ${messageOf(error)}`);
  }
}
