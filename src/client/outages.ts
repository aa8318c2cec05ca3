/**
 * Says when a cache is away, for it breaks nothing that would show it.
 *
 * @module
 */

import { messageOf } from "../errors.ts";
import { CacheError, hasCode } from "./cache_error.ts";
import type { OnOutage, Outage } from "./tier.ts";

/** Whether a program can go on without the cache after this error. */
export function isOutage(error: unknown): error is CacheError {
  return error instanceof CacheError && error.code !== "invalid" &&
    error.code !== "closed" && error.code !== "deadline";
}

/** So many warnings are enough for people to look. */
const MAX_WARNINGS = 20;

/** Tells whoever wants to know; by default, people, once for each reason. */
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
      const about = `${tier} ${reasonOf(error)}`;
      return this.#warn(about, "going on without the cache", error);
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
    if (this.#said.has(about) || this.#said.size >= MAX_WARNINGS) return;
    this.#said.add(about);
    console.warn(`larder: ${what}: ${messageOf(error)}`);
    if (this.#said.size < MAX_WARNINGS) return;
    console.warn("larder: no more is said of that; onOutage hears of all");
  }
}

/**
 * What is the same each time that something goes wrong in one way: a server
 * that is away is that, however it shows, and sizes and ids do not count.
 */
function reasonOf(error: unknown): string {
  if (hasCode(error, "unavailable")) return error.code;
  return messageOf(error).replace(/\d+/g, "#");
}
