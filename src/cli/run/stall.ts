/**
 * Values on their way that stand still: a server may live, and its disk hang.
 *
 * @module
 */

import { afterSilence } from "../../client/patience.ts";

/** A server that moves nothing for so long is not waited for. */
const STALL_MS = 30_000;
/** What it writes to its disk, and hashes, before it answers, at the least. */
const BYTES_PER_MS = 10_000;
const MS_PER_S = 1_000;

/** Ends what waits for the other side for too long. */
export class Stall implements Disposable {
  readonly #ms: number;
  readonly #over = new AbortController();
  #stop: () => void = () => {};

  /** Nothing is waited for; `ms`: how long is too long. */
  constructor(ms: number = STALL_MS) {
    this.#ms = ms;
  }

  /** Aborted when it has been too long. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /**
   * Pieces that come from the other side. What is done with them takes as long
   * as it takes.
   */
  async *coming(
    pieces: AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    this.#waits(0);
    for await (const piece of pieces) {
      this.#stop();
      yield piece;
      this.#waits(0);
    }
    this.#stop();
  }

  /** Pieces that go to the other side, which has to answer when it has them all. */
  async *going(
    pieces: AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    let bytes = 0;
    for await (const piece of pieces) {
      bytes += piece.length;
      this.#waits(0);
      yield piece;
      this.#stop();
    }
    this.#waits(bytes);
  }

  [Symbol.dispose](): void {
    this.#stop();
  }

  #waits(bytes: number): void {
    this.#stop();
    const ms = this.#ms + bytes / BYTES_PER_MS;
    this.#stop = afterSilence(ms, () => {
      const seconds = Math.round(ms / MS_PER_S);
      this.#over.abort(
        new Error(`the server lives, but has moved nothing for ${seconds} s`),
      );
    });
  }
}
