/**
 * Get: who has the entry, and who computes it.
 *
 * @module
 */

import { MAX_WAITERS_PER_ENTRY } from "../limits.ts";
import { ask, mayHave, newEntry, propose, refuse, wants } from "./asking.ts";
import { startEvicting } from "./evicting.ts";
import { isFree, isOver } from "./expiry.ts";
import {
  awaitNext,
  dismiss,
  overdueMs,
  tellLoading,
  tooMany,
} from "./patience.ts";
import { republish } from "./publish.ts";
import {
  getsHandle,
  giveFromMemory,
  giveVerified,
  startReading,
  startVerifying,
} from "./read.ts";
import {
  type Entry,
  type GetWait,
  isFailing,
  isFor,
  type State,
  type Wait,
} from "./state.ts";
import type { Result, Ticket } from "./types.ts";
import { computingFor } from "./under_way.ts";

/** Answers a Get by the entry as it is now, or lets it wait for what decides. */
export function get(s: State, wait: GetWait, nowMs: number): void {
  const { entry: key } = wait.request;
  const entry = s.entries.get(key.name);
  if (!entry) return ask(s, newEntry(s, key), wait);
  const { state } = entry;
  switch (state.kind) {
    case "asking":
      return join(s, entry, wait);
    case "loading":
      if (isFailing(state.taken)) return getFailing(s, entry, wait, nowMs);
      if (nowMs >= state.deadlineMs) return getExpired(s, entry, wait, nowMs);
      if (supersede(s, entry, wait, nowMs)) return;
      return tellLoading(s, entry, wait, nowMs);
    case "publishing":
      if (isFailing(state.taken)) return awaitOnce(s, entry, wait);
      return tellLoading(s, entry, wait, nowMs);
    case "ready":
      return getReady(s, entry, wait, nowMs);
    case "evicting":
      if (state.over && wants(wait)) return join(s, entry, wait);
      return s.reply(wait, { kind: "unassigned" });
  }
}

function join(s: State, entry: Entry, wait: Wait): void {
  if (entry.waits.length >= MAX_WAITERS_PER_ENTRY) {
    entry.waits = entry.waits.filter((wait) => wait.live);
    if (entry.waits.length >= MAX_WAITERS_PER_ENTRY) {
      return tooMany(s, wait);
    }
  }
  entry.waits.push(wait);
}

function getReady(
  s: State,
  entry: Entry,
  wait: GetWait,
  nowMs: number,
): void {
  const { state } = entry;
  if (state.kind !== "ready") return;
  if (isOver(state, nowMs)) return getOver(s, entry, wait);
  const { request } = wait;
  if (!state.digest || getsHandle(s, request, state.digest)) {
    if (giveVerified(s, entry, wait, nowMs)) return;
    join(s, entry, wait);
    startVerifying(s, entry, nowMs);
  } else if (
    request.api === "remote" && state.digest.size > s.options.maxValueBytes
  ) {
    s.reply(wait, { kind: "unassigned", reason: "too-large" });
  } else if (!isAdmitted(s, wait, state.digest.size)) {
    // Before it is read: what nobody has room for must not be in memory.
    dismiss(s, wait);
    wait.askedBytes = state.digest.size;
    const { ticket } = wait.request;
    s.emit({ kind: "admit", ticket, bytes: wait.askedBytes });
    s.rest(entry);
  } else if (!giveFromMemory(s, entry, wait)) {
    join(s, entry, wait);
    startReading(s, entry);
  }
}

/**
 * A Get of a value whose time is over: as if it were not there. Who wants the
 * work gets it when the old value has gone.
 */
function getOver(s: State, entry: Entry, wait: GetWait): void {
  const { state } = entry;
  if (state.kind !== "ready") return;
  dismiss(s, wait);
  if (!wait.request.assign) s.reply(wait, { kind: "unassigned" });
  else if (s.draining) {
    // What begins now might be cut short.
    s.reply(wait, { kind: "unassigned", reason: "stopping" });
  } else if (!isFree(state, s.nowMs)) {
    s.reply(wait, { kind: "unassigned", reason: "still-read" });
  } else {
    const { rowId } = state;
    startEvicting(s, entry, { damaged: false, rowId, over: true });
    entry.waits.push(wait);
    return;
  }
  s.rest(entry);
}

/** Whether there is memory for a value: another may have come since it was asked for. */
function isAdmitted(s: State, wait: GetWait, bytes: number): boolean {
  return bytes <= s.uncountedBytes ||
    (wait.admitted && bytes <= wait.askedBytes);
}

/** There is memory for a value: it is read, if it is still there. */
export function admitted(s: State, ticket: Ticket, nowMs: number): void {
  const wait = s.waits.get(ticket);
  if (!wait || !isFor(wait, "get")) return;
  wait.admitted = true;
  get(s, wait, nowMs);
}

/**
 * Gives the work of somebody who computes for longer than anybody may to
 * whoever asks for it, heartbeats or not. False where nothing changes.
 */
function supersede(
  s: State,
  entry: Entry,
  wait: GetWait,
  nowMs: number,
): boolean {
  const { state, key } = entry;
  if (state.kind !== "loading" || nowMs < overdueMs(s, state.work)) {
    return false;
  }
  if (!mayHave(s, wait) || s.whyNot(key.namespace) !== undefined) return false;
  const { peer, call } = state.work;
  const computedMs = computingFor(state.work, nowMs);
  if (republish(s, entry)) return false;
  const who = {
    ...peer !== undefined && { peer },
    ...call !== undefined && { call },
  };
  s.emit({ kind: "superseded", entry: key, computedMs, ...who });
  join(s, entry, wait);
  takeOver(s, entry);
  return true;
}

/** The lease has ended: the work goes to whoever asks. */
function getExpired(
  s: State,
  entry: Entry,
  wait: GetWait,
  nowMs: number,
): void {
  const { state } = entry;
  if (state.kind !== "loading") return;
  if (wait.request.reads) return s.reply(wait, { kind: "unassigned" });
  if (state.probe === undefined && republish(s, entry)) {
    return tellLoading(s, entry, wait, nowMs);
  }
  const { assign, patient } = wait.request;
  // Its holder may still publish, or take it up again after the restart.
  if (s.draining && patient) return awaitNext(s, wait, entry);
  if (assign && (s.draining || !mayHave(s, wait))) return refuse(s, wait);
  join(s, entry, wait);
  startProbe(s, entry);
}

/**
 * A Get of a value that was accepted and cannot be kept: until the disk takes it
 * nobody has the work, and there is nothing to wait for but the next try.
 */
function getFailing(
  s: State,
  entry: Entry,
  wait: GetWait,
  nowMs: number,
): void {
  const { state } = entry;
  const isDue = state.kind === "loading" && nowMs >= state.deadlineMs;
  if (!isDue || wait.request.reads) return notKept(s, wait);
  awaitOnce(s, entry, wait);
  republish(s, entry);
}

/** Lets a Get wait for the end of a try, within its 500 ms. */
function awaitOnce(s: State, entry: Entry, wait: GetWait): void {
  if (wait.inTime) join(s, entry, wait);
  else notKept(s, wait);
}

function notKept(s: State, wait: GetWait): void {
  dismiss(s, wait);
  s.reply(wait, { kind: "unassigned", reason: "failed" });
}

/** A Get has waited for 500 ms. */
export function getIsDue(s: State, wait: GetWait): void {
  const state = s.entries.get(wait.request.entry.name)?.state;
  // It waits for room no longer; for somebody's work, if it is patient.
  if (wait.wantsRoom) refuse(s, wait);
  else if (state?.kind === "publishing" && isFailing(state.taken)) {
    notKept(s, wait);
  } else if (!wait.request.patient) s.reply(wait, { kind: "loading" });
}

/** Asks when the client wrote last; one that has no file has no more time. */
function startProbe(s: State, entry: Entry): void {
  const { state } = entry;
  if (state.kind !== "loading" || state.probe !== undefined) return;
  const { staging } = state.assignment;
  if (staging === undefined) return takeOver(s, entry);
  state.probe = s.nextToken();
  s.emit({ kind: "probe", name: entry.key.name, token: state.probe, staging });
}

/** A staging file that changed within the lease counts as a heartbeat. */
export function probed(
  s: State,
  entry: Entry,
  result: Result & { kind: "probed" },
  nowMs: number,
): void {
  const { state } = entry;
  if (state.kind !== "loading" || state.probe !== result.token) return;
  delete state.probe;
  const { leaseTimeoutMs } = s.options;
  const quietMs = result.changedAgoMs ?? Infinity;
  if (quietMs < leaseTimeoutMs) {
    state.work.heardMs = Math.max(state.work.heardMs ?? 0, nowMs - quietMs);
    state.deadlineMs = Math.max(
      state.deadlineMs,
      nowMs + leaseTimeoutMs - quietMs,
    );
  }
  // A heartbeat may have come meanwhile: then too the lease is alive.
  if (nowMs < state.deadlineMs) {
    s.hold(state.assignment.id, entry);
    return s.wake(entry);
  }
  // Who asked has gone, or was told Loading: the holder keeps the work.
  if (!entry.waits.some((wait) => wait.live)) return void (entry.waits = []);
  const removal = entry.waits.find(({ live, request }) =>
    live && request.kind === "evict"
  );
  takeOver(s, entry, removal);
}

/**
 * Removes an assignment whose lease has ended, and whose file has not changed
 * since, for whoever wants it away. False where it is not like that.
 */
export function removeExpired(s: State, entry: Entry, wait: Wait): boolean {
  const { state } = entry;
  if (state.kind !== "loading" || state.deadlineMs > s.nowMs) return false;
  if (state.taken?.acknowledged) return false;
  if (state.assignment.staging === undefined) {
    takeOver(s, entry, wait);
    return true;
  }
  join(s, entry, wait);
  startProbe(s, entry);
  return true;
}

/** The holder gives the work back: as if its lease ended now. */
export function abandon(s: State, entry: Entry, wait: Wait): void {
  const { state } = entry;
  // A value that was accepted is published: there is nothing to give back.
  if (state.kind !== "loading" || state.taken?.acknowledged) {
    return s.reply(wait, { kind: "ok" });
  }
  takeOver(s, entry, wait);
}

/** Gives an expired assignment to the next who asks, or removes it. */
export function takeOver(s: State, entry: Entry, givenBack?: Wait): void {
  const { state, key } = entry;
  if (state.kind !== "loading") return;
  const isAbandoned = givenBack?.request.kind === "abandon";
  s.options.observer?.ended(isAbandoned ? "abandoned" : "expired");
  // Whoever waited for the holder waits for the manifest now.
  entry.waits = s.takeWaits(entry);
  const { id, staging } = state.assignment;
  // From here on the id is looked up in the manifest, behind this change: void
  // when it was made, its holder's again when it failed.
  s.letGo(id);
  const token = s.nextToken();
  const proposed = propose(s, entry);
  const back = givenBack ? { givenBack } : {};
  if (proposed) {
    const superseded = staging === undefined ? {} : { superseded: staging };
    entry.state = { kind: "asking", token, proposed, ...superseded, ...back };
    s.emit({
      kind: "reassign",
      entry: key,
      token,
      ...(state.unnamed ? {} : { from: id }),
      assignment: proposed,
    });
  } else {
    entry.state = { kind: "asking", token, ...back };
    const holder = state.unnamed ? {} : { id };
    // Nobody wants it any more. Its file goes before its row, which could not go
    // on a disk that the file has filled.
    const discards = staging === undefined ? {} : { discards: staging };
    s.emit({ kind: "abandon", entry: key, token, ...holder, ...discards });
  }
}
