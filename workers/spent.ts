/**
 * Buffers that a worker has written to the disk.
 *
 * @module
 */

/**
 * From here on they go back and serve again. Smaller ones come from memory that the
 * process has already.
 */
export const SPENT_BYTES = 32 * 1024;
