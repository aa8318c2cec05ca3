/**
 * A server that says nothing any more.
 *
 * @module
 */

import { noAnswer } from "../client/cache_error.ts";

/** Ends a call when nothing has come of it for too long. */
export class Silence implements Disposable {
  readonly #limitMs: number;
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal;
  readonly #onAbort = (): void => this.#controller.abort(this.#outer.reason);
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Begins to wait; `outer` ends the call as well. */
  constructor(limitMs: number, outer: AbortSignal) {
    this.#limitMs = limitMs;
    this.#outer = outer;
    outer.addEventListener("abort", this.#onAbort);
    if (outer.aborted) this.#onAbort();
    this.begin();
  }

  /** Aborted when it has been silent for too long. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Something is awaited. */
  begin(): void {
    this.end();
    const message = `no answer within ${this.#limitMs} ms`;
    this.#timer = setTimeout(
      () => this.#controller.abort(noAnswer(message)),
      this.#limitMs,
    );
  }

  /** It has come. */
  end(): void {
    clearTimeout(this.#timer);
  }

  [Symbol.dispose](): void {
    this.end();
    this.#outer.removeEventListener("abort", this.#onAbort);
  }
}
