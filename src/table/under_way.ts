/**
 * What is being computed or published, for people.
 *
 * @module
 */

import { MAX_SHOWN_WAITERS } from "../limits.ts";
import type { LogFacts } from "../log/log.ts";
import type { Entry, GetWait, State, Work } from "./state.ts";
import type { EntryKey } from "./types.ts";

/** Work that somebody has. */
export interface UnderWay {
  readonly entry: EntryKey;
  /** Where its holder calls from; absent: nobody knows since the restart. */
  readonly peer?: string;
  /** For how long it has been at it, over restarts. */
  readonly computingMs: number;
  /** For how long its holder has not been heard: no heartbeat, nothing of its value. */
  readonly quietMs: number;
  /** Calls that wait for it. */
  readonly waiting: number;
  /** Where some of those call from. */
  readonly waiters: readonly string[];
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
    const { sinceMs, heardMs = sinceMs, peer } = state.work;
    const computingMs = computingFor(state.work, nowMs);
    const last = longest.at(-1);
    if (longest.length === limit && last!.computingMs >= computingMs) continue;
    const at = longest.findLastIndex((each) => each.computingMs >= computingMs);
    longest.splice(at + 1, 0, {
      entry: key,
      computingMs,
      quietMs: nowMs - heardMs,
      waiting: patient?.size ?? 0,
      waiters: patient ? peersOf(patient) : [],
      isPublishing,
      ...(peer === undefined ? {} : { peer }),
    });
    if (longest.length > limit) longest.pop();
  }
  return longest;
}

/** For how long somebody has computed, over restarts. */
export function computingFor(
  { sinceMs, beforeMs = 0 }: Work,
  nowMs: number,
): number {
  return nowMs - sinceMs + beforeMs;
}

/** Where the first of those who wait call from. */
function peersOf(waits: ReadonlySet<GetWait>): string[] {
  return waits.values().take(MAX_SHOWN_WAITERS)
    .map(({ request: { peer } }) => peer?.peer ?? "").toArray();
}

/** What the log says of an entry: its name and, while it is worked on, by whom. */
export function aboutEntry(
  { key, state }: Pick<Entry, "key" | "state">,
  nowMs: number,
): LogFacts {
  const named = { namespace: key.namespace, key: key.key };
  if (state.kind !== "loading" && state.kind !== "publishing") return named;
  const { peer, call } = state.work;
  return {
    ...named,
    ms: computingFor(state.work, nowMs),
    ...(peer === undefined ? {} : { client: peer }),
    ...(call === undefined ? {} : { call }),
  };
}
