/**
 * Small pieces of a value, put together.
 *
 * Each append is a round to the disk. 2,048 uploads in pieces of a byte, 32 MB of
 * traffic, kept the workers busy for a minute; put together, for 3 s.
 *
 * @module
 */

/** Pieces of this size are worth an append of their own. */
const WORTHWHILE_BYTES = 16 * 1024;

/** Takes pieces of any size, and gives larger ones. */
export class GatheredPieces {
  #gathered = new Uint8Array();
  #bytes = 0;

  /** Takes a piece; gives what is to be appended now, in order. */
  *add(piece: Uint8Array): Iterable<Uint8Array> {
    if (this.#bytes + piece.length > this.#gathered.length) yield* this.rest();
    if (piece.length >= WORTHWHILE_BYTES) return yield piece;
    if (piece.length === 0) return;
    if (this.#bytes === 0) this.#gathered = new Uint8Array(WORTHWHILE_BYTES);
    this.#gathered.set(piece, this.#bytes);
    this.#bytes += piece.length;
  }

  /** Gives what has gathered. */
  *rest(): Iterable<Uint8Array> {
    if (this.#bytes === 0) return;
    const whole = this.#gathered.subarray(0, this.#bytes);
    this.#gathered = new Uint8Array();
    this.#bytes = 0;
    yield whole;
  }
}
