/**
 * One signal for several, that leaves nothing behind in them.
 *
 * @module
 */

import { setMaxListeners } from "node:events";

/**
 * Lets as many calls at once as a program likes listen to a signal: Node takes
 * more than ten of them for a leak, and warns.
 */
export function withoutLimit(signal: AbortSignal): AbortSignal {
  setMaxListeners(0, signal);
  return signal;
}

/**
 * Aborted with the first of several signals. `AbortSignal.any` does the same,
 * and what it makes stays registered with those that live on: a program's signal
 * would grow with each call.
 */
export class LinkedSignal implements Disposable {
  readonly #controller = new AbortController();
  readonly #unlinks: (() => void)[] = [];

  /** Of those that there are. */
  constructor(...signals: readonly (AbortSignal | undefined)[]) {
    for (const signal of signals) if (signal) this.#link(signal);
  }

  /** Aborted when one of them is. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Aborts it. */
  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  #link(signal: AbortSignal): void {
    const abort = () => this.#controller.abort(signal.reason);
    if (signal.aborted) return abort();
    withoutLimit(signal).addEventListener("abort", abort, { once: true });
    this.#unlinks.push(() => signal.removeEventListener("abort", abort));
  }

  /** From here on, none of them aborts it any more. */
  [Symbol.dispose](): void {
    for (const unlink of this.#unlinks) unlink();
  }
}
