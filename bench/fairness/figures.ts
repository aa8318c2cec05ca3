/**
 * What the times of calls come to.
 *
 * @module
 */

import type { CallTimes } from "../fairness.ts";

/** Sums up how long calls took, in milliseconds; zeros where there were none. */
export function timesOf(timesMs: readonly number[]): CallTimes {
  const sorted = Float64Array.from(timesMs).sort();
  const at = (share: number) =>
    sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  return {
    calls: sorted.length,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
  };
}
