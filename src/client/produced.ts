/**
 * Streams that a function produces, each of which can be read once.
 *
 * @module
 */

import type { Compute } from "./call_options.ts";
import { CacheError } from "./cache_error.ts";
import { started } from "./computing.ts";
import { checkSource, eachPiece, isReadAnew, type Source } from "./transfer.ts";

/** Who wants what is produced. */
export interface Wanting {
  /** Names the cache in messages. */
  readonly name: string;
  /** Aborted when nobody wants it any more. */
  readonly signal: AbortSignal;
}

/**
 * What a function gives, and gives anew when it was read in part: what has come
 * of a stream is gone, but the function may begin another one.
 */
export class Produced {
  readonly #produce: Compute<Source>;
  readonly #wanting: Wanting;
  readonly #given = new WeakSet<object>();

  /** Nothing is produced before somebody asks for it. */
  constructor(produce: Compute<Source>, wanting: Wanting) {
    this.#produce = produce;
    this.#wanting = wanting;
  }

  /**
   * Begins the value; what it comes to can be read again from its begin, as the
   * function is called anew for that.
   */
  async begin(): Promise<Source> {
    const source = await this.next();
    if (isReadAnew(source)) return source;
    let first: Source | undefined = source;
    return () => {
      const begun = first;
      first = undefined;
      return this.#pieces(begun);
    };
  }

  /**
   * Calls the function.
   *
   * @throws {CacheError} It has given a stream that was given before.
   */
  async next(): Promise<Source> {
    const { name, signal } = this.#wanting;
    const source = await started(this.#produce, signal);
    checkSource(source);
    if (isReadAnew(source)) return source;
    if (this.#given.has(source)) {
      throw new CacheError(
        "failed",
        `${name}: the connection broke while a stream was published, and the ` +
          "function that produces it has given the same one again: it must " +
          "begin a new one at each call",
      );
    }
    this.#given.add(source);
    return source;
  }

  async *#pieces(
    begun: Source | undefined,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    yield* eachPiece(begun ?? await this.next());
  }
}
