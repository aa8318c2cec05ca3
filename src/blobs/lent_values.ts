/**
 * Who uses a large value, so that its buffer is freed when nobody does.
 *
 * To V8 a buffer looks tiny: it lets tens of MiB of dead ones lie until it collects.
 * Whoever read one that was freed would get an error, and never other bytes.
 *
 * @module
 */

import { SPENT_BYTES } from "../../workers/spent.ts";

/** Counts the users of large values. */
export class LentValues {
  readonly #free: (buffer: ArrayBuffer) => void;
  /** Weak: a value that is never given back costs no more than without this. */
  readonly #users = new WeakMap<ArrayBuffer, number>();

  /** `free` gets buffers that nobody uses any more. */
  constructor(free: (buffer: ArrayBuffer) => void) {
    this.#free = free;
  }

  /** So many more use a value, until each gives it back. */
  lend(value: Uint8Array, users: number = 1): void {
    const buffer = largeBuffer(value);
    if (buffer) this.#users.set(buffer, this.#usersOf(buffer) + users);
  }

  /** One of them uses it no more. */
  giveBack(value: Uint8Array): void {
    const buffer = largeBuffer(value);
    const users = buffer ? this.#usersOf(buffer) - 1 : -1;
    if (!buffer || users < 0) return;
    this.#users.set(buffer, users);
    if (users > 0) return;
    // What runs now may be about to lend it to somebody else.
    queueMicrotask(() => {
      if (this.#users.get(buffer) !== 0) return;
      this.#users.delete(buffer);
      this.#free(buffer);
    });
  }

  #usersOf(buffer: ArrayBuffer): number {
    return this.#users.get(buffer) ?? 0;
  }
}

/** The buffer, where it is worth to be freed by itself. */
function largeBuffer({ buffer }: Uint8Array): ArrayBuffer | undefined {
  const isLarge = buffer.byteLength >= SPENT_BYTES;
  return isLarge && buffer instanceof ArrayBuffer ? buffer : undefined;
}
