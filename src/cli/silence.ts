/**
 * A server that says nothing any more.
 *
 * @module
 */

import { noAnswer } from "../client/cache_error.ts";
import type { EndSignal } from "../client/ending.ts";
import { LinkedSignal } from "../client/linked_signal.ts";
import { afterSilence } from "../client/patience.ts";

/** Ends a call when nothing has come of it for too long. */
export class Silence implements Disposable {
  readonly #limitMs: number;
  readonly #ended: LinkedSignal;
  #stop = (): void => {};

  /** Begins to wait; `outer` ends the call as well. */
  constructor(limitMs: number, outer: AbortSignal) {
    this.#limitMs = limitMs;
    this.#ended = new LinkedSignal(outer);
    this.begin();
  }

  /** Aborted when it has been silent for too long. */
  get signal(): EndSignal {
    return this.#ended.signal;
  }

  /** Something is awaited. */
  begin(): void {
    this.end();
    const message = `no answer within ${this.#limitMs} ms`;
    this.#stop = afterSilence(
      this.#limitMs,
      () => this.#ended.abort(noAnswer(message)),
    );
  }

  /** It has come. */
  end(): void {
    this.#stop();
  }

  [Symbol.dispose](): void {
    this.end();
    this.#ended[Symbol.dispose]();
  }
}
