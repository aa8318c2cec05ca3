/**
 * Many files in little memory: as objects, 100,000 of them would take as much as
 * all the rest of a run.
 *
 * @module
 */

import type { Leaf } from "./tree.ts";

/** So many characters are kept as bytes together. */
const BLOCK_CHARS = 64 * 1024;
/** No JSON has one outside of its strings' escapes. */
const END = "\n";

/** Leaves in the order in which they were added; each is made anew when asked for. */
export class Leaves implements Iterable<Leaf> {
  readonly #blocks: Uint8Array[] = [];
  #last = "";
  #length = 0;

  /** How many there are. */
  get length(): number {
    return this.#length;
  }

  /** Adds one. */
  add({ below, kind, mode, size, stamp, target }: Leaf): void {
    this.#last += JSON.stringify([below, kind, mode, size, stamp, target]) +
      END;
    this.#length++;
    if (this.#last.length < BLOCK_CHARS) return;
    this.#blocks.push(new TextEncoder().encode(this.#last));
    this.#last = "";
  }

  *[Symbol.iterator](): Generator<Leaf, void, undefined> {
    const text = new TextDecoder();
    for (const block of this.#blocks) yield* leavesIn(text.decode(block));
    yield* leavesIn(this.#last);
  }
}

function* leavesIn(text: string): Generator<Leaf, void, undefined> {
  for (const line of text.split(END)) {
    if (line === "") continue;
    const [below, kind, mode, size, stamp, target] = JSON.parse(line);
    yield { below, kind, mode, size, stamp, target: target ?? undefined };
  }
}
