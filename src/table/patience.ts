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

/** How often those who wait for overdue work are looked at. */
const OVERDUE_LOOK_MS = 1_000;

/** Somebody has the work: a patient Get is told who, and stays. */
export function tellLoading(
  s: State,
  entry: Entry,
  wait: Wait,
  nowMs: number,
): void {
  if (!(wait.request as Get).patient) return s.reply(wait, { kind: "loading" });
  if (s.leaving) {
    // Whatever comes of the work, the next process will be there to tell.
    const message = "The server is stopping: ask again, the work is not lost";
    const error = new LarderError("stopping", message);
    return s.reply(wait, { kind: "error", error });
  }
  if (entry.patient.size >= MAX_WAITERS_PER_ENTRY) return tooMany(s, wait);
  const { state } = entry;
  if (state.kind !== "loading" && state.kind !== "publishing") return;
  // The value that it was for is gone, and the next one takes its time.
  dismiss(s, wait);
  const { assignment: { id }, work: { sinceMs, peer } } = state;
  const overdue = overdueMs(s, state.work);
  // Work that is overdue stays its holder's while nobody can take it on.
  entry.lookMs = nowMs < overdue ? overdue : nowMs + OVERDUE_LOOK_MS;
  s.stay(entry, wait, dueMs(entry));
  if (wait.noticed === id) return;
  wait.noticed = id;
  s.emit({
    kind: "notice",
    ticket: wait.request.ticket,
    computedMs: nowMs - sinceMs,
    ...(peer === undefined ? {} : { peer }),
  });
}

/** A Get gives back the memory that it has for a value. */
export function dismiss(s: State, wait: Wait): void {
  if (!wait.admitted) return;
  wait.admitted = false;
  s.emit({ kind: "dismiss", ticket: wait.request.ticket });
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

/** From when on somebody has computed for longer than anybody may. */
export function overdueMs(s: State, { sinceMs }: Work): number {
  return sinceMs + (s.options.maxComputeMs ?? Infinity);
}

/** When the work can be given to another, unless the lease is renewed. */
export function dueMs({ state, lookMs = Infinity }: Entry): number {
  return state.kind === "loading"
    ? Math.min(state.deadlineMs, lookMs)
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
    const due = dueMs(entry);
    if (due <= nowMs) s.wake(entry);
    else s.awaitedDueMs = Math.min(s.awaitedDueMs, due);
  }
}

/** Wakes everybody who waits for a holder. */
export function wakeAll(s: State): void {
  for (const entry of s.awaited) s.wake(entry);
}
