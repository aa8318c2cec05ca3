/**
 * Large buffers that have been written to the disk, for the values that come next.
 *
 * Memory that is new to the process costs a page fault for each 4 KiB: 0.8 ms for
 * a MiB, as much as its SHA-256.
 *
 * @module
 */

import { SPENT_BYTES } from "../../workers/spent.ts";
import type { Clock, Timer } from "../clock.ts";

/** What lies here at most: the values of four callers of 3 MiB. */
const MAX_KEPT_BYTES = 12 * 1024 * 1024;
/** Values differ by a few bytes: their buffers are of whole pages. */
const PAGE_BYTES = 4 * 1024;
/** Callers in a row take a buffer within milliseconds; after this, none comes. */
const UNUSED_MS = 1_000;

/**
 * Buffers that nobody uses now. What was not needed for a second is freed, so
 * that it does not add to what other work takes.
 */
export class SpareBuffers implements Disposable {
  readonly #clock: Clock;
  #kept: ArrayBuffer[] = [];
  #bytes = 0;
  /** The least that lay here since the timer was set: so much was not needed. */
  #unusedBytes = 0;
  #timer: Timer | undefined;

  /** Nothing lies here. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

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
    if (kept) {
      this.#bytes -= wanted;
      this.#unusedBytes = Math.min(this.#unusedBytes, this.#bytes);
    }
    return new Uint8Array(kept ?? new ArrayBuffer(wanted), 0, bytes);
  }

  /** Frees them all: the memory is wanted for something else. */
  clear(): void {
    this.#shrink(0);
  }

  /** Takes a buffer that nobody uses any more; it is freed if there are enough. */
  give(buffer: ArrayBuffer): void {
    if (!isWorthwhile(buffer)) return void buffer.transfer(0);
    this.#kept.push(buffer);
    this.#bytes += buffer.byteLength;
    this.#shrink(MAX_KEPT_BYTES);
    this.#timer ??= this.#watch();
  }

  /** Frees what lies here. What is given later is kept again. */
  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.clear();
  }

  #watch(): Timer {
    this.#unusedBytes = this.#bytes;
    return this.#clock.setTimer(UNUSED_MS, () => {
      this.#timer = undefined;
      this.#shrink(this.#bytes - this.#unusedBytes);
      if (this.#bytes > 0) this.#timer = this.#watch();
    });
  }

  /** Frees the oldest until no more than `bytes` lie here. */
  #shrink(bytes: number): void {
    while (this.#bytes > bytes) {
      const oldest = this.#kept.shift()!;
      this.#bytes -= oldest.byteLength;
      // Now, not when V8 gets to it: to V8 they look tiny.
      oldest.transfer(0);
    }
    this.#unusedBytes = Math.min(this.#unusedBytes, this.#bytes);
  }
}

/** Whether another value may fit into a buffer. */
function isWorthwhile({ byteLength }: ArrayBuffer): boolean {
  return byteLength >= SPENT_BYTES && byteLength <= MAX_KEPT_BYTES &&
    byteLength % PAGE_BYTES === 0;
}
