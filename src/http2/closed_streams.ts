/**
 * How streams ended that are gone, as far as it matters for the frames that
 * still come for them: RFC 9113, 5.1.
 *
 * @module
 */

import { REMEMBERED_GAPS, REMEMBERED_RESETS } from "./limits.ts";

/** What a frame for a stream that is gone means. */
export type Fate =
  /** We reset it: frames that crossed the reset are ignored. */
  | "reset by us"
  /** It ended in order, or by the client's reset. */
  | "closed"
  /** Its id was left out: it never was. */
  | "never opened"
  /** Its id is still to come. */
  | "idle";

/** Remembers a connection's streams; in order it costs nothing. */
export class ClosedStreams {
  #lastId = 0;
  #resets: Set<number> | undefined;
  /** Up to here some are forgotten: how a stream ended is not certain. */
  #forgottenId = 0;
  /** Ids that were left out, from one to before another. */
  #gaps: [number, number][] | undefined;

  /** The largest id that was opened. */
  get lastId(): number {
    return this.#lastId;
  }

  /** The client opens a stream: its id is larger than all before. */
  opened(id: number): void {
    if (id > this.#lastId + 2) {
      const from = this.#lastId === 0 ? 1 : this.#lastId + 2;
      this.#gaps ??= [];
      if (from < id) this.#gaps.push([from, id]);
      if (this.#gaps.length > REMEMBERED_GAPS) this.#gaps.shift();
    }
    this.#lastId = id;
  }

  /** We reset a stream. */
  reset(id: number): void {
    const resets = this.#resets ??= new Set();
    resets.add(id);
    if (resets.size <= REMEMBERED_RESETS) return;
    for (const oldest of resets) {
      resets.delete(oldest);
      this.#forgottenId = Math.max(this.#forgottenId, oldest);
      break;
    }
  }

  /** What became of a stream that is not open. */
  fateOf(id: number): Fate {
    // Clients open odd ones only.
    if (id > this.#lastId || id % 2 === 0) return "idle";
    if (this.#resets?.has(id)) return "reset by us";
    const isLeftOut = this.#gaps?.some(([from, to]) => id >= from && id < to);
    if (isLeftOut) return "never opened";
    // In doubt for the client: it pays for what it sends.
    return id <= this.#forgottenId ? "reset by us" : "closed";
  }
}
