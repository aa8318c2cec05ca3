/**
 * Buffers that connections share: one that is idle has none.
 *
 * @module
 */

/** Buffers of one size. */
export class BufferPool {
  readonly bytes: number;
  readonly #most: number;
  readonly #keep: number;
  readonly #kept: Uint8Array[] = [];
  #lent = 0;

  /** At most so many are lent, and so many kept for the next. */
  constructor(
    bytes: number,
    { most, keep }: { readonly most: number; readonly keep: number },
  ) {
    this.bytes = bytes;
    this.#most = most;
    this.#keep = keep;
  }

  /** How many are in use. */
  get lent(): number {
    return this.#lent;
  }

  /** Lends one; `undefined`: there are too many already. */
  take(): Uint8Array | undefined {
    if (this.#lent >= this.#most) return undefined;
    this.#lent++;
    return this.#kept.pop() ?? new Uint8Array(this.bytes);
  }

  /** Takes back what was lent; other buffers are left alone. */
  give(buffer: Uint8Array): void {
    if (buffer.length !== this.bytes) return;
    this.#lent--;
    if (this.#kept.length < this.#keep) this.#kept.push(buffer);
  }
}
