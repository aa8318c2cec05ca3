/**
 * What one run of a load generator yields, and how runs are summed up.
 *
 * @module
 */

/** One run. */
export interface Sample {
  /** Units of work in a second. */
  readonly perSecond: number;
  /** The median time of one. */
  readonly p50Ms: number;
  /** The time that 99 in 100 stay within. */
  readonly p99Ms: number;
  /** Calls of the run that failed, where that is counted. */
  readonly failed?: number;
  /** Processor time of the server for one unit, where that is measured. */
  readonly cpuUs?: number;
}

/** All calls that failed. */
export function failedOf(samples: readonly Sample[]): number {
  return samples.reduce((sum, { failed = 0 }) => sum + failed, 0);
}

/** The middle value; of an even number of values the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return NaN;
  return sorted.length % 2 === 1
    ? sorted[middle]!
    : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The medians of each figure. */
export function medians(samples: readonly Sample[]): Sample {
  return {
    perSecond: median(samples.map((sample) => sample.perSecond)),
    p50Ms: median(samples.map((sample) => sample.p50Ms)),
    p99Ms: median(samples.map((sample) => sample.p99Ms)),
  };
}
