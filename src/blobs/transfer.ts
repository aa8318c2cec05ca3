/**
 * Giving bytes to a worker.
 *
 * @module
 */

/** Below this a copy is cheaper than what a transfer may break. */
const COPY_BELOW_BYTES = 32 * 1024;
/** A view must cover this part of its buffer to take the buffer with it. */
const COVERED = 7 / 8;

/**
 * An array in a buffer of its own, which may be transferred. The value's own
 * buffer, taken away from it, where nobody else can be using it; a copy where it is small, where
 * the buffer is shared, or where it is much larger than the value: small
 * Buffers are views into a pool, and transferring that would detach their
 * neighbours.
 *
 * @param value What is to be transferred; not to be used afterwards.
 * @returns The same bytes, alone.
 * @throws {TypeError} If the value's buffer has been taken away before.
 */
export function detachable(value: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength, byteOffset } = value;
  if (buffer instanceof ArrayBuffer && buffer.detached) {
    // It reads as empty, and would be published as an empty value.
    throw new TypeError("Cannot take bytes that were given away before");
  }
  const alone = buffer instanceof ArrayBuffer &&
    byteLength >= COPY_BELOW_BYTES &&
    byteLength >= buffer.byteLength * COVERED;
  return alone
    // At once, so that a caller who goes on using it notices at once.
    ? new Uint8Array(buffer.transfer(), byteOffset, byteLength)
    : new Uint8Array(value);
}

/**
 * Frees a value's memory at once. To V8 its buffer looks tiny: left to the
 * collector, a few hundred megabytes of dead values pile up first. Only for
 * an array that nobody else uses: it is empty afterwards.
 */
export function release(value: Uint8Array): void {
  if (value.buffer instanceof ArrayBuffer && !value.buffer.detached) {
    value.buffer.transfer(0);
  }
}
