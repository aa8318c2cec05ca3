/**
 * The end of a call, which comes once, and who is told of it.
 *
 * @module
 */

/**
 * Why a signal was aborted. One for all: to make one takes as long as a call, and
 * lost connections end hundreds of calls at once.
 */
export const GONE: DOMException = new DOMException(
  "The call has ended",
  "AbortError",
);

/** Is told whether reply and status were given to write. */
export type EndListener = (delivered: boolean) => void;

/** Something that ends once. */
export abstract class Ending {
  #hasEnded = false;
  #isDelivered = false;
  #listeners: EndListener[] | undefined = undefined;
  #abort: AbortController | undefined = undefined;

  /** Gets what a listener throws. */
  protected abstract onListenerError(error: unknown): void;

  /** Whether the end has come. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Aborted when it ends without being delivered; made only if asked for. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#hasEnded && !this.#isDelivered) this.#abort.abort(GONE);
    }
    return this.#abort.signal;
  }

  /** Calls once when it has ended; at once if it has. */
  whenEnded(listener: EndListener): void {
    if (this.#hasEnded) this.#tell(listener);
    else (this.#listeners ??= []).push(listener);
  }

  /** From here on it has ended; who is told of it hears it by `tellEnded`. */
  protected setEnded(delivered: boolean): void {
    this.#hasEnded = true;
    this.#isDelivered = delivered;
  }

  /** Tells whoever asked for it. */
  protected tellEnded(): void {
    if (!this.#isDelivered) this.#abort?.abort(GONE);
    const listeners = this.#listeners;
    if (listeners === undefined) return;
    this.#listeners = undefined;
    for (const listener of listeners) this.#tell(listener);
  }

  #tell(listener: EndListener): void {
    try {
      listener(this.#isDelivered);
    } catch (error) {
      this.onListenerError(error);
    }
  }
}
