/**
 * How long calls took since the last time that somebody asked.
 *
 * @module
 */

import type { CallTallies } from "./call_tallies.ts";
import { newCounts, quantileMs } from "./histogram.ts";

/** What half of them did not exceed, and 99 of 100; absent: there were none. */
export interface RecentTimes {
  readonly medianMs?: number;
  readonly slowMs?: number;
}

/** Makes what says it, each time of the calls since the time before. */
export function recentTimes(
  calls: Pick<CallTallies, "durations">,
): () => RecentTimes {
  let before = newCounts();
  return () => {
    const counts = calls.durations();
    const recent = counts.map((count, at) => count - before[at]!);
    before = counts;
    const medianMs = quantileMs(recent, 0.5);
    const slowMs = quantileMs(recent, 0.99);
    return medianMs === undefined || slowMs === undefined
      ? {}
      : { medianMs, slowMs };
  };
}
