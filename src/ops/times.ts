/**
 * How long the operations of a store take, by kind.
 *
 * @module
 */

import type { Family } from "./family.ts";
import { Histogram } from "./histogram.ts";

/** Times of the operations of one store. */
export class Times {
  readonly #kinds = new Map<string, Histogram>();

  /** An operation has ended, well or not. */
  readonly took = (kind: string, ms: number): void => {
    let times = this.#kinds.get(kind);
    if (times === undefined) this.#kinds.set(kind, times = new Histogram());
    times.add(ms);
  };

  /** What is told of them, under a name. */
  family(name: string, help: string): Family {
    return {
      type: "histogram",
      name,
      help,
      read: () =>
        [...this.#kinds].flatMap(([operation, times]) =>
          times.samples(name, { operation })
        ),
    };
  }
}
