/**
 * Patience: Gets that wait for whoever has the work. They are looked at again
 * whenever the entry changes, and when the lease that they wait for ends.
 *
 * @module
 */

import { LarderError } from "../errors.ts";
import { MAX_WAITERS_PER_ENTRY } from "../limits.ts";
import {
  type Entry,
  type GetWait,
  isFor,
  type State,
  type Wait,
  type Work,
} from "./state.ts";
import { computingFor } from "./under_way.ts";

/** How often those who wait for overdue work are looked at. */
const OVERDUE_LOOK_MS = 1_000;

/** Somebody has the work: a patient Get is told who, and stays. */
export function tellLoading(
  s: State,
  entry: Entry,
  wait: GetWait,
  nowMs: number,
): void {
  if (!wait.request.patient) return s.reply(wait, { kind: "loading" });
  // Whatever comes of the work, the next process will be there to tell.
  if (s.leaving) return sendOn(s, wait);
  if ((entry.patient?.size ?? 0) >= MAX_WAITERS_PER_ENTRY) {
    return tooMany(s, wait);
  }
  const { state } = entry;
  if (state.kind !== "loading" && state.kind !== "publishing") return;
  // The value that it was for is gone, and the next one takes its time.
  dismiss(s, wait);
  const { assignment: { id }, work: { peer } } = state;
  const overdue = overdueMs(s, state.work);
  // Work that is overdue stays its holder's while nobody can take it on. Who
  // comes later does not put off when the others are looked at.
  if (nowMs < overdue) entry.lookMs = overdue;
  else if (!entry.patient?.size) entry.lookMs = nowMs + OVERDUE_LOOK_MS;
  s.stay(entry, wait, dueMs(s, entry));
  if (wait.noticed === id) return;
  wait.noticed = id;
  s.emit({
    kind: "notice",
    ticket: wait.request.ticket,
    computedMs: computingFor(state.work, nowMs),
    ...(peer === undefined ? {} : { peer }),
  });
}

/** A Get gives back the memory that it has for a value. */
export function dismiss(s: State, wait: GetWait): void {
  if (!wait.admitted) return;
  wait.admitted = false;
  s.emit({ kind: "dismiss", ticket: wait.request.ticket });
}

/**
 * Nobody has the work, and a server that stops gives it to nobody: who is
 * patient stays until the next process can be asked. `entry`: somebody had the
 * work, and may still publish it.
 */
export function awaitNext(s: State, wait: GetWait, entry?: Entry): void {
  if (s.leaving) return sendOn(s, wait);
  dismiss(s, wait);
  if (entry) s.stay(entry, wait, dueMs(s, entry));
  else s.stranded.add(wait);
  if (wait.noticed !== undefined || wait.isStranded) return;
  wait.isStranded = true;
  const { ticket } = wait.request;
  s.emit({ kind: "notice", ticket, computedMs: 0, stopping: true });
}

/** The drain is over: all who wait for work are sent to the next process. */
export function sendAllOn(s: State): void {
  for (const entry of s.awaited) s.wake(entry);
  for (const wait of s.stranded) sendOn(s, wait);
}

function sendOn(s: State, wait: GetWait): void {
  const message = "The server is stopping: ask again, the work is not lost";
  const error = new LarderError("stopping", message);
  s.reply(wait, { kind: "error", error });
}

/** More wait for one entry than may. */
export function tooMany(s: State, wait: Wait): void {
  if (isFor(wait, "get") && !wait.request.patient) {
    return s.reply(wait, { kind: "loading" });
  }
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
export function dueMs(s: State, { state, lookMs = Infinity }: Entry): number {
  if (state.kind !== "loading") return Infinity;
  // A server that stops gives it to nobody.
  if (s.draining && state.deadlineMs <= s.nowMs) return Infinity;
  return Math.min(state.deadlineMs, lookMs);
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
