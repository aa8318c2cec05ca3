/**
 * Counts the DATA frames that a client sends in shreds.
 *
 * Each frame costs objects and time, however small it is: 2 million DATA frames
 * of a byte, 20 MB of traffic, made 1 GB and kept others waiting for 10 s. They
 * are counted as they come in, for JavaScript hears of them a megabyte late.
 *
 * @module
 */
import { MAX_TINY_FRAMES, TINY_FRAME_BYTES } from "./limits.ts";

const PREFACE_BYTES = 24;
const HEADER_BYTES = 9;
const DATA = 0;
const HEADERS = 1;
/** A small call is a frame or two. */
const FREE_FRAMES_PER_CALL = 4;

/** Follows the frames of one connection. */
export class DataFrames {
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerBytes = 0;
  #skipBytes = PREFACE_BYTES;
  #tiny = 0;

  /**
   * Takes note of bytes from the client.
   *
   * @param data The next of them.
   * @returns Whether there are more tiny DATA frames than calls have use for.
   */
  shredded(data: Uint8Array): boolean {
    for (let at = 0; at < data.byteLength;) {
      if (this.#skipBytes > 0) {
        const skipped = Math.min(this.#skipBytes, data.byteLength - at);
        this.#skipBytes -= skipped;
        at += skipped;
        continue;
      }
      this.#header[this.#headerBytes++] = data[at++]!;
      if (this.#headerBytes === HEADER_BYTES) this.#count();
    }
    return this.#tiny > MAX_TINY_FRAMES;
  }

  #count(): void {
    const [high, middle, low, type] = this.#header as unknown as number[];
    this.#headerBytes = 0;
    this.#skipBytes = (high! << 16) | (middle! << 8) | low!;
    if (type === HEADERS) this.#forgive(FREE_FRAMES_PER_CALL);
    if (type !== DATA) return;
    if (this.#skipBytes < TINY_FRAME_BYTES) this.#tiny++;
    else this.#forgive(1);
  }

  #forgive(frames: number): void {
    this.#tiny = Math.max(0, this.#tiny - frames);
  }
}
