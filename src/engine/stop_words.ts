/**
 * What a stop waits for, in words for the log.
 *
 * @module
 */

import { formatEntry } from "../key_text.ts";
import type { UnderWay } from "../table/under_way.ts";

/** So many are named; the others are counted. */
const NAMED = 3;

/**
 * What is under way when a stop begins.
 *
 * @param work The work, the longest first.
 * @param limitMs For how long the stop waits at most.
 * @returns One line; `undefined`: it waits for nothing.
 */
export function stopWords(
  work: readonly UnderWay[],
  limitMs: number,
): string | undefined {
  if (work.length === 0) return undefined;
  const named = work.slice(0, NAMED).map(
    ({ entry, peer, computingMs, isPublishing }) => {
      const who = peer ?? "a client of before the restart";
      const what = isPublishing ? "published" : "computed";
      const seconds = Math.round(computingMs / 1_000);
      return `${formatEntry(entry)}, ${what} by ${who} for ${seconds} s`;
    },
  );
  const others = work.length - named.length;
  const rest = others === 0 ? "" : `; and ${others} more`;
  return `stopping: waits up to ${Math.round(limitMs / 1_000)} s for what is ` +
    `under way: ${named.join("; ")}${rest}`;
}
