/**
 * The end of a call, as the parts of a call tell each other of it.
 *
 * @module
 */

/**
 * What the library needs of a signal. One of a program is an `AbortSignal`; the
 * library's own are not: each of those that a runtime makes costs as much as
 * many a part of a call.
 */
export interface EndSignal {
  /** Whether it has come. */
  readonly aborted: boolean;
  /** Why. */
  readonly reason: unknown;
  /** Throws the reason, if it has come. */
  throwIfAborted(): void;
  /** Calls it when it comes. */
  addEventListener(
    type: "abort",
    listener: () => void,
    options?: { readonly once: true },
  ): void;
  /** Does so no more. */
  removeEventListener(type: "abort", listener: () => void): void;
}

/** An end, and the signal of it. Nothing but the library listens to it. */
export class Ending implements EndSignal {
  readonly #listeners = new Set<() => void>();
  #aborted = false;
  #reason: unknown;

  /** The same, for those who only listen. */
  get signal(): EndSignal {
    return this;
  }

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  /** It has come; once. */
  abort(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  addEventListener(_type: "abort", listener: () => void): void {
    if (!this.#aborted) this.#listeners.add(listener);
  }

  removeEventListener(_type: "abort", listener: () => void): void {
    this.#listeners.delete(listener);
  }
}
