/**
 * Large buffers that have been written to the disk, for the values that come next.
 *
 * Memory that is new to the process costs a page fault for each 4 KiB: 0.8 ms for
 * a MiB, as much as its SHA-256.
 *
 * @module
 */

import { SPENT_BYTES } from "../../workers/spent.ts";

/** What lies here at most: the values of four callers of 3 MiB. */
const MAX_KEPT_BYTES = 12 * 1024 * 1024;
/** Values differ by a few bytes: their buffers are of whole pages. */
const PAGE_BYTES = 4 * 1024;

/** Buffers that nobody uses now. */
export class SpareBuffers {
  #kept: ArrayBuffer[] = [];
  #bytes = 0;

  /** What lies here now. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Gives an array with a buffer that is its alone. It may hold bytes of others
   * until it is filled.
   */
  take(bytes: number): Uint8Array<ArrayBuffer> {
    if (bytes < SPENT_BYTES) return new Uint8Array(bytes);
    const wanted = Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
    const at = this.#kept.findLastIndex((kept) => kept.byteLength === wanted);
    const [kept] = at < 0 ? [] : this.#kept.splice(at, 1);
    if (kept) this.#bytes -= wanted;
    return new Uint8Array(kept ?? new ArrayBuffer(wanted), 0, bytes);
  }

  /** Frees them all: the memory is wanted for something else. */
  clear(): void {
    for (const buffer of this.#kept.splice(0)) buffer.transfer(0);
    this.#bytes = 0;
  }

  /** Takes a buffer that nobody uses any more; it is freed if there are enough. */
  give(buffer: ArrayBuffer): void {
    if (!isWorthwhile(buffer)) return void buffer.transfer(0);
    this.#kept.push(buffer);
    this.#bytes += buffer.byteLength;
    while (this.#bytes > MAX_KEPT_BYTES) {
      const oldest = this.#kept.shift()!;
      this.#bytes -= oldest.byteLength;
      // Now, not when V8 gets to it: to V8 they look tiny.
      oldest.transfer(0);
    }
  }
}

/** Whether another value may fit into a buffer. */
function isWorthwhile({ byteLength }: ArrayBuffer): boolean {
  return byteLength >= SPENT_BYTES && byteLength <= MAX_KEPT_BYTES &&
    byteLength % PAGE_BYTES === 0;
}
