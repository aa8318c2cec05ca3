/**
 * Patience: Gets that wait for whoever has the work. They are looked at again
 * whenever the entry changes, and when the lease that they wait for ends.
 *
 * @module
 */

import { LarderError } from "../errors.ts";
import { MAX_WAITERS_PER_ENTRY } from "../limits.ts";
import type { Entry, State, Wait, Work } from "./state.ts";
import type { Request } from "./types.ts";

type Get = Request & { kind: "get" };

/** Somebody has the work: a patient Get is told who, and stays. */
export function tellLoading(
  s: State,
  entry: Entry,
  wait: Wait,
  nowMs: number,
): void {
  if (!(wait.request as Get).patient) return s.reply(wait, { kind: "loading" });
  if (s.draining) {
    // Whatever comes of the work, this process will not be there to tell.
    return s.reply(wait, { kind: "unassigned", reason: "stopping" });
  }
  if (entry.patient.size >= MAX_WAITERS_PER_ENTRY) return tooMany(s, wait);
  const { state } = entry;
  if (state.kind !== "loading" && state.kind !== "publishing") return;
  const { assignment: { id }, work: { sinceMs, peer } } = state;
  s.stay(entry, wait, dueMs(s, entry));
  if (wait.noticed === id) return;
  wait.noticed = id;
  s.emit({
    kind: "notice",
    ticket: wait.request.ticket,
    computedMs: nowMs - sinceMs,
    ...(peer === undefined ? {} : { peer }),
  });
}

/** More wait for one entry than may. */
export function tooMany(s: State, wait: Wait): void {
  if (!(wait.request as Get).patient) return s.reply(wait, { kind: "loading" });
  const message = `${MAX_WAITERS_PER_ENTRY} calls wait for this entry already` +
    "; try again later";
  s.reply(wait, {
    kind: "error",
    error: new LarderError("overloaded", message),
  });
}

/** Whether somebody computes for longer than anybody may. */
export function isOverdue(s: State, work: Work, nowMs: number): boolean {
  return nowMs >= overdueMs(s, work);
}

function overdueMs(s: State, { sinceMs }: Work): number {
  return sinceMs + (s.options.maxComputeMs ?? Infinity);
}

/** When the work can be given to another, unless the lease is renewed. */
export function dueMs(s: State, { state }: Entry): number {
  return state.kind === "loading"
    ? Math.min(state.deadlineMs, overdueMs(s, state.work))
    : Infinity;
}

/**
 * Wakes those whose holder's lease has ended. The others' leases have been
 * renewed since the bound was taken: a new one is at least a heartbeat away.
 */
export function wakeDue(s: State, nowMs: number): void {
  if (nowMs < s.awaitedDueMs) return;
  s.awaitedDueMs = Infinity;
  for (const entry of s.awaited) {
    const due = dueMs(s, entry);
    if (due <= nowMs) s.wake(entry);
    else s.awaitedDueMs = Math.min(s.awaitedDueMs, due);
  }
}

/** Wakes everybody who waits for a holder. */
export function wakeAll(s: State): void {
  for (const entry of s.awaited) s.wake(entry);
}
