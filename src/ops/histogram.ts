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

  /** One more. */
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
