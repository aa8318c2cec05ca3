/**
 * Everything that is left to chance in a run, from its seed.
 *
 * @module
 */

import { randomFrom } from "../rude/scale.ts";

/** A run's dice: the same seed throws the same. */
export class Chance {
  readonly #random: () => number;

  /** Any 32-bit number will do. */
  constructor(seed: number) {
    // Neighbouring seeds start alike: what they throw first is thrown away.
    this.#random = randomFrom(Math.imul(seed ^ 0x5bd1e995, 0x9e3779b1));
    for (let i = 0; i < 4; i++) this.#random();
  }

  /** An integer from 0 to below `count`. */
  below(count: number): number {
    return Math.floor(this.#random() * count);
  }

  /** Whether what has this probability happens. */
  happens(probability: number): boolean {
    return probability > 0 && this.#random() < probability;
  }

  /** One of them. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** One of them, as often as their weights say. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    const kinds = Object.keys(weights) as K[];
    let left = this.#random() *
      kinds.reduce((sum, kind) => sum + weights[kind], 0);
    for (const kind of kinds) {
      left -= weights[kind];
      if (left < 0) return kind;
    }
    return kinds.at(-1)!;
  }
}
