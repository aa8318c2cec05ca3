/**
 * One signal for several, that leaves nothing behind in them.
 *
 * @module
 */

import { setMaxListeners } from "node:events";
import { Ending, type EndSignal } from "./ending.ts";

/** Those that take any number of listeners. */
const limitless = new WeakSet<EndSignal>();

/**
 * Lets as many calls at once as a program likes listen to a signal: Node takes
 * more than ten of them for a leak, and warns.
 */
export function withoutLimit<Signal extends EndSignal>(signal: Signal): Signal {
  if (signal instanceof AbortSignal && !limitless.has(signal)) {
    limitless.add(signal);
    setMaxListeners(0, signal);
  }
  return signal;
}

/**
 * Aborted with the first of several signals. `AbortSignal.any` does the same,
 * and what it makes stays registered with those that live on: a program's signal
 * would grow with each call.
 */
export class LinkedSignal extends Ending implements Disposable {
  readonly #unlinks: (() => void)[] = [];

  /** Of those that there are. */
  constructor(...signals: readonly (EndSignal | undefined)[]) {
    super();
    for (const signal of signals) if (signal) this.#link(signal);
  }

  #link(signal: EndSignal): void {
    const abort = () => this.abort(signal.reason);
    if (signal.aborted) return abort();
    withoutLimit(signal).addEventListener("abort", abort, { once: true });
    this.#unlinks.push(() => signal.removeEventListener("abort", abort));
  }

  /** From here on, none of them aborts it any more. */
  [Symbol.dispose](): void {
    for (const unlink of this.#unlinks) unlink();
  }
}
