/**
 * Bytes that came before anybody asked for them, in order.
 *
 * @module
 */

import { BACKLOG_CHUNK_BYTES } from "./limits.ts";

/**
 * A queue of bytes in few chunks, however small the pieces are in which they come:
 * each object costs more than a tiny piece.
 */
export class Backlog {
  readonly #chunks: Uint8Array[] = [];
  /** Where the first chunk begins, and the last ends. */
  #start = 0;
  #end = 0;

  /** Whether there is nothing. */
  get isEmpty(): boolean {
    return this.#chunks.length === 0;
  }

  /** Appends a copy. */
  append(bytes: Uint8Array): void {
    let at = 0;
    const last = this.#chunks.at(-1);
    if (last !== undefined) {
      at = Math.min(last.length - this.#end, bytes.length);
      last.set(bytes.subarray(0, at), this.#end);
      this.#end += at;
    }
    const rest = bytes.length - at;
    if (rest === 0) return;
    // The first one is as small as what came: most never get a second.
    const room = last === undefined
      ? rest
      : Math.max(rest, Math.min(4 * last.length, BACKLOG_CHUNK_BYTES));
    const chunk = new Uint8Array(room);
    chunk.set(bytes.subarray(at));
    this.#chunks.push(chunk);
    this.#end = rest;
  }

  /**
   * Takes from the front.
   *
   * @param take Gets the first bytes; returns how many of them it took.
   */
  consume(take: (bytes: Uint8Array) => number): void {
    const first = this.#chunks[0];
    if (first === undefined) return;
    const end = this.#chunks.length === 1 ? this.#end : first.length;
    this.#start += take(first.subarray(this.#start, end));
    if (this.#start < end) return;
    this.#chunks.shift();
    this.#start = 0;
  }

  /** Drops everything. */
  clear(): void {
    this.#chunks.length = 0;
    this.#start = this.#end = 0;
  }
}
