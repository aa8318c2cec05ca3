/**
 * What the manifest said: an entry that was absent or at rest becomes known.
 *
 * @module
 */

import { startEvicting } from "./evicting.ts";
import { ask, mayHave, refuse, wants } from "./asking.ts";
import { takeOver } from "./get.ts";
import { timesOf } from "./expiry.ts";
import { graceEndMs } from "./grace.ts";
import type { Entry, GetWait, State, Wait, Work } from "./state.ts";
import type { Asked, Assignment, Id, Row } from "./types.ts";

/** Takes the manifest's answer; every wait of the entry is looked at again. */
export function asked(
  s: State,
  entry: Entry,
  answer: Asked,
  nowMs: number,
): void {
  const { state } = entry;
  if (state.kind !== "asking") return;
  if (state.proposed) {
    s.proposals--;
    if (answer.kind !== "assigned") s.letGo(state.proposed.id);
  }
  discardSuperseded(s, state.superseded, answer);
  if (state.givenBack) endGivenBack(s, entry, state.givenBack, answer);
  switch (answer.kind) {
    case "none":
      return absent(s, entry);
    case "assigned":
      return assigned(s, entry, state.proposed!, nowMs);
    case "row":
      adopt(s, entry, answer.row, { nowMs, wallMs: answer.wallMs });
      return s.wake(entry);
    case "failed":
      // A cache that cannot keep a value says so now, not at Set.
      return leave(s, entry, (wait) => {
        if (wait.request.kind === "get") {
          s.reply(wait, { kind: "unassigned", reason: "failed" });
        } else {
          s.reply(wait, { kind: "error", error: answer.error });
        }
      });
  }
}

/** Answers whoever gave the work back, or wanted it away. */
function endGivenBack(
  s: State,
  entry: Entry,
  wait: Wait,
  answer: Asked,
): void {
  if (answer.kind === "failed") {
    return s.reply(wait, { kind: "error", error: answer.error });
  }
  // It has published after all, or another has the work: that is to go now.
  const isThere = answer.kind === "row" && wait.request.kind === "evict";
  if (isThere) entry.waits.push(wait);
  else s.reply(wait, { kind: "ok" });
}

/** Removes the file of an assignment that no row names any more. */
function discardSuperseded(
  s: State,
  staging: string | undefined,
  answer: Asked,
): void {
  if (staging === undefined || answer.kind === "failed") return;
  const { row } = answer.kind === "row" ? answer : { row: undefined };
  if (row?.status === "loading" && row.staging === staging) return;
  s.emit({ kind: "discard", staging });
}

/** There is no row: those who want the work are next, the others get nothing. */
function absent(s: State, entry: Entry): void {
  const wanted = entry.waits.some((wait) => mayHave(s, wait));
  if (wanted && s.whyNot(entry.key.namespace) === undefined) {
    return ask(s, entry);
  }
  leave(s, entry, (wait) => {
    if (wants(wait)) return refuse(s, wait);
    switch (wait.request.kind) {
      case "get":
        return s.reply(wait, { kind: "unassigned" });
      case "evict":
        return s.reply(wait, { kind: "absent" });
      default:
        s.again.push(wait);
    }
  });
}

/** Forgets the entry, and ends each of its waits. */
function leave(s: State, entry: Entry, end: (wait: Wait) => void): void {
  s.forget(entry);
  for (const wait of s.takeWaits(entry)) if (wait.live) end(wait);
}

function assigned(
  s: State,
  entry: Entry,
  assignment: Assignment,
  nowMs: number,
): void {
  const winner = s.draining
    ? undefined
    : entry.waits.find((wait): wait is GetWait => wants(wait, assignment));
  // Where the caller has gone, the lease ends as it begins: the next one who
  // asks takes the work over.
  const deadlineMs = winner ? nowMs + s.options.leaseTimeoutMs : nowMs;
  const { peer } = winner?.request ?? {};
  const work: Work = {
    sinceMs: nowMs,
    isUntouched: true,
    ...peer && { peer: peer.peer },
    ...peer?.place && { call: peer.place.id },
  };
  entry.state = { kind: "loading", assignment, deadlineMs, work };
  s.hold(assignment.id, entry);
  // Else the next process would keep it for a client that never heard of it.
  if (s.draining) return takeOver(s, entry);
  if (winner) s.reply(winner, { kind: "assigned", assignment });
  s.wake(entry);
}

/** The assignment that a loading row is of. */
export function assignmentOf(
  id: Id,
  { staging, ttlMs, owner }: Row & { status: "loading" },
): Assignment {
  return {
    id,
    ...(staging === undefined ? {} : { staging }),
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(owner === undefined ? {} : { owner }),
  };
}

/** Work of which the manifest says since when it is being computed. */
export function workOf(
  s: State,
  { assignedMs }: Row & { status: "loading" },
  sinceMs: number,
): Work {
  const sinceWallMs = s.options.startWallMs + sinceMs - s.startMs;
  // The wall clock may have been set back meanwhile.
  return assignedMs === undefined || assignedMs >= sinceWallMs
    ? { sinceMs }
    : { sinceMs, beforeMs: sinceWallMs - assignedMs };
}

/** Takes over what the manifest knows of an entry that was not in memory. */
export function adopt(
  s: State,
  entry: Entry,
  row: Row,
  { nowMs, wallMs }: {
    readonly nowMs: number;
    readonly wallMs?: number | undefined;
  },
): void {
  switch (row.status) {
    case "loading": {
      const { id = s.options.newId() } = row;
      const assignment = assignmentOf(id, row);
      // What is loading and alive is in memory; this one expired long ago, or
      // was one too many for a start: it has its grace all the same, and has
      // been computed since the start at least, as what a start restores.
      const graceMs = graceEndMs(s, row, nowMs);
      const deadlineMs = graceMs ?? nowMs;
      const work: Work = graceMs === undefined
        ? workOf(s, row, nowMs)
        : { ...workOf(s, row, s.startMs), graced: true };
      entry.state = row.id === undefined
        ? { kind: "loading", assignment, deadlineMs, work, unnamed: true }
        : { kind: "loading", assignment, deadlineMs, work };
      s.hold(id, entry);
      return;
    }
    case "ready":
      entry.state = {
        kind: "ready",
        generation: row.id ?? s.options.newId(),
        pins: 0,
        reading: undefined,
        verifying: undefined,
        ...(row.id === undefined ? {} : { rowId: row.id }),
        ...(row.digest ? { digest: row.digest } : {}),
        ...timesOf(s, row, { nowMs, wallMs }),
      };
      return s.rest(entry);
    case "evicting":
      return startEvicting(s, entry, { damaged: false, rowId: row.id });
  }
}
