/**
 * The one error of HPACK.
 *
 * @module
 */

/** A decoding error: the connection ends with COMPRESSION_ERROR. */
export class HpackError extends Error {
  /** What is wrong with the block; the message is for the log. */
  constructor(message: string) {
    super(message);
    this.name = "HpackError";
  }
}
