/**
 * How often something took how long: plain numbers, which cost nothing to speak
 * of to count, and are read when somebody asks.
 *
 * @module
 */

import type { Sample } from "./family.ts";

/** Upper ends of the buckets, in seconds: from a hit to work that is waited for. */
const BOUNDS_S: readonly number[] = [
  ...[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05],
  ...[0.1, 0.25, 0.5, 1, 5, 30],
];

/** Durations, in seconds. */
export class Histogram {
  readonly #counts = new Float64Array(BOUNDS_S.length + 1);
  #sumS = 0;

  /** Counts one observation. */
  add(ms: number): void {
    const seconds = ms / 1_000;
    let at = 0;
    while (at < BOUNDS_S.length && seconds > BOUNDS_S[at]!) at++;
    this.#counts[at]!++;
    this.#sumS += seconds;
  }

  /** How many there were. */
  get count(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** Adds what it has counted to counts of buckets. */
  addTo(counts: Float64Array): void {
    for (let at = 0; at < counts.length; at++) counts[at]! += this.#counts[at]!;
  }

  /** The samples of a family of this name, with these labels. */
  samples(name: string, labels: Readonly<Record<string, string>>): Sample[] {
    let count = 0;
    const buckets = [...BOUNDS_S, Infinity].map((bound, at): Sample => {
      count += this.#counts[at]!;
      const le = bound === Infinity ? "+Inf" : String(bound);
      const labelled = { ...labels, le };
      return { metricName: `${name}_bucket`, labels: labelled, value: count };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: this.#sumS },
      { metricName: `${name}_count`, labels, value: count },
    ];
  }
}

/** Counts of buckets, all 0. */
export function newCounts(): Float64Array {
  return new Float64Array(BOUNDS_S.length + 1);
}

/**
 * What a share of durations did not exceed, in milliseconds, as far as their
 * buckets tell; of what exceeds the last one, its lower end.
 */
export function quantileMs(
  counts: Float64Array,
  share: number,
): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  let rank = share * total;
  for (let at = 0; at < BOUNDS_S.length; at++) {
    const count = counts[at]!;
    if (rank <= count && count > 0) {
      const from = BOUNDS_S[at - 1] ?? 0;
      return 1_000 * (from + (BOUNDS_S[at]! - from) * rank / count);
    }
    rank -= count;
  }
  return 1_000 * BOUNDS_S.at(-1)!;
}
