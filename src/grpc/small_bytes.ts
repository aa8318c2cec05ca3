/**
 * Small pieces of bytes. The runtime keeps the bytes of every array outside of its
 * heap: to make one for five bytes takes ten times as long as to cut them from a
 * larger one.
 *
 * @module
 */

/** What the pieces are cut from; the last reader of one of them frees it. */
const SLAB_BYTES = 2_048;
/**
 * Larger ones get an array of their own: too much of a slab would be left over.
 * Most paths are shorter.
 */
const MAX_SMALL_BYTES = 256;

let slab = new Uint8Array(SLAB_BYTES);
let used = 0;

/**
 * Bytes that nobody has had before. Their buffer is shared: it must not be
 * transferred.
 *
 * @param length How many.
 * @returns All 0.
 */
export function smallBytes(length: number): Uint8Array {
  if (length > MAX_SMALL_BYTES) return new Uint8Array(length);
  if (used + length > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES);
    used = 0;
  }
  const start = used;
  used += length;
  return slab.subarray(start, used);
}
