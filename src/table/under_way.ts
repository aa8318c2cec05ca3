/**
 * What is being computed or published, for people.
 *
 * @module
 */

import type { LogFacts } from "../log.ts";
import type { Entry, State } from "./state.ts";
import type { EntryKey } from "./types.ts";

/** Work that somebody has. */
export interface UnderWay {
  readonly entry: EntryKey;
  /** Where its holder calls from; absent: nobody knows since the restart. */
  readonly peer?: string;
  /** For how long it has been at it; from the restart on, where it was before. */
  readonly computingMs: number;
  /** Calls that wait for it. */
  readonly waiting: number;
  /** Its value has come, and is being made durable. */
  readonly isPublishing: boolean;
}

/**
 * The work under way that takes longest, the oldest first. Looks once at each
 * assignment, of which there is a bounded number.
 */
export function underWay(s: State, limit: number, nowMs: number): UnderWay[] {
  const longest: UnderWay[] = [];
  for (const { key, state, patient } of s.assignments.values()) {
    if (state.kind !== "loading" && state.kind !== "publishing") continue;
    const isPublishing = state.kind === "publishing";
    if (!isPublishing && state.deadlineMs <= nowMs) continue;
    const { sinceMs, peer } = state.work;
    const computingMs = nowMs - sinceMs;
    const last = longest.at(-1);
    if (longest.length === limit && last!.computingMs >= computingMs) continue;
    const at = longest.findLastIndex((each) => each.computingMs >= computingMs);
    longest.splice(at + 1, 0, {
      entry: key,
      computingMs,
      waiting: patient?.size ?? 0,
      isPublishing,
      ...(peer === undefined ? {} : { peer }),
    });
    if (longest.length > limit) longest.pop();
  }
  return longest;
}

/** What the log says of an entry: its name and, while it is worked on, by whom. */
export function aboutEntry(
  { key, state }: Pick<Entry, "key" | "state">,
  nowMs: number,
): LogFacts {
  const named = { namespace: key.namespace, key: key.key };
  if (state.kind !== "loading" && state.kind !== "publishing") return named;
  const { sinceMs, peer } = state.work;
  return {
    ...named,
    ms: nowMs - sinceMs,
    ...(peer === undefined ? {} : { client: peer }),
  };
}
