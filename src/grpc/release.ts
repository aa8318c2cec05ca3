/**
 * Gives memory back at once.
 *
 * @module
 */

/** Smaller buffers go with the collector's next round. */
const WORTHWHILE_BYTES = 4 * 1024;

/**
 * Frees the buffer of an array that nobody else uses; it is empty afterwards. To
 * V8 a buffer looks tiny: left to the collector, 60 MB of dead ones pile up.
 *
 * @param bytes An array in a buffer of its own.
 */
export function release(bytes: Uint8Array): void {
  if (bytes.length < WORTHWHILE_BYTES) return;
  (bytes.buffer as ArrayBuffer).transfer(0);
}
