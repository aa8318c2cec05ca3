/**
 * What a stop waits for, in lines for the log.
 *
 * @module
 */

import type { LogFacts } from "../log/log.ts";
import type { UnderWay } from "../table/under_way.ts";

/** So many are named; the others are counted. */
const NAMED = 10;

/** An event for the log. */
export interface Said {
  readonly message: string;
  readonly facts: LogFacts;
}

/**
 * What is under way when a stop begins.
 *
 * @param work The work, the longest first.
 * @param limitMs For how long the stop waits at most.
 * @returns How much it is, then one for each; none: it waits for nothing.
 */
export function stopWords(
  work: readonly UnderWay[],
  limitMs: number,
): readonly Said[] {
  if (work.length === 0) return [];
  return [
    say(
      `stopping: waits up to ${Math.round(limitMs / 1_000)} s for ` +
        `${entries(work.length)} under way`,
    ),
    ...work.slice(0, NAMED).map(
      ({ entry: { namespace, key }, peer, computingMs, isPublishing }) =>
        say(
          `stopping: waits for what is ${
            isPublishing ? "published" : "computed"
          }`,
          {
            namespace,
            key,
            ms: computingMs,
            ...peer !== undefined && { client: peer },
          },
        ),
    ),
  ];
}

/**
 * What is still under way when a stop has waited for long enough.
 *
 * @param work The work.
 * @returns An event; `undefined`: nothing is left.
 */
export function leftWords(work: readonly UnderWay[]): Said | undefined {
  if (work.length === 0) return undefined;
  return say(
    `stopped, with ${entries(work.length)} still under way: whoever computes ` +
      "one can publish it for --restart-grace after the next start",
  );
}

function entries(count: number): string {
  return count === 1 ? "1 entry" : `${count} entries`;
}

function say(message: string, facts: LogFacts = {}): Said {
  return { message, facts: { level: "info", ...facts } };
}
