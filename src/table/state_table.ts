/**
 * The state table: one serialized state for both services. `step` takes a
 * command and returns effects; nothing in here awaits, reads a clock or does
 * anything by itself.
 *
 * @module
 */

import { EXPIRED_IN_MEMORY_MS, MAX_REPLY_WAIT_MS } from "../limits.ts";
import { arrive } from "./arriving.ts";
import { asked } from "./asked.ts";
import { evict, sweep } from "./evict.ts";
import { evicted } from "./evicting.ts";
import { admitted, get, getIsDue, probed } from "./get.ts";
import { drop, expireHandles } from "./handles.ts";
import { sendAllOn, wakeDue } from "./patience.ts";
import { byId, expireAssignments, foundId, isById } from "./leases.ts";
import { refuse } from "./asking.ts";
import {
  lookForRoom,
  published,
  publishFailed,
  publishIsDue,
  rechecked,
} from "./publish.ts";
import { atHand, damaged, read, unreadable, verified } from "./read.ts";
import { restore } from "./restore.ts";
import type { LogFacts } from "../log/log.ts";
import type { Excess, FilledQuota } from "./room.ts";
import { stoodStill } from "./standstill.ts";
import { State } from "./state.ts";
import { aboutEntry, type UnderWay, underWay } from "./under_way.ts";
import { type Entry, isFailing, isFor, type Wait } from "./state.ts";
import type {
  Command,
  Effect,
  Id,
  Reply,
  RequestOf,
  Result,
  TableOptions,
  Ticket,
  Unticketed,
} from "./types.ts";

/** How many of what the table holds; for metrics and tests. */
export interface TableCounts {
  readonly loading: number;
  readonly publishing: number;
  readonly handles: number;
  readonly waits: number;
  /** Gets that wait for somebody's work. */
  readonly waiting: number;
  readonly entries: number;
  /** Since the start: Gets that found a value, … */
  readonly hits: number;
  /** … those that did not, … */
  readonly misses: number;
  /** … and what computing those values had taken that were found. */
  readonly savedMs: number;
}

/** The state table. */
export class StateTable {
  /** The state, for the invariants and for tests. */
  readonly state: State;

  /** An empty table that starts at `nowMs`. */
  constructor(options: TableOptions, nowMs: number) {
    this.state = new State(options, nowMs);
  }

  /**
   * Answers a Get as a step would, where it takes nothing else and nothing comes of
   * it but a use; `undefined`: it takes a step.
   */
  atHand(get: Unticketed<RequestOf<"get">>): Reply | undefined {
    return atHand(this.state, get);
  }

  /** Takes one command; returns what is to be done, replies included. */
  step(command: Command, nowMs: number): readonly Effect[] {
    const s = this.state;
    s.nowMs = nowMs;
    this.#apply(command, nowMs);
    while (
      s.woken.length > 0 || s.again.length > 0 || this.#isRoomToBeGiven
    ) {
      this.#giveRoom(nowMs);
      this.#lookAgain(nowMs);
    }
    const { effects } = s;
    s.effects = [];
    return effects;
  }

  /** When `tick` has something to do at the latest; `undefined`: never. */
  nextDeadlineMs(): number | undefined {
    const s = this.state;
    const waits = (ticket: Ticket) => s.waits.has(ticket);
    let nextMs = s.due.earliest(waits) ?? Infinity;
    for (const { expiresMs } of s.handles.values()) {
      nextMs = Math.min(nextMs, expiresMs);
      break;
    }
    for (const { state } of s.assignments.values()) {
      if (state.kind === "loading" && state.probe === undefined) {
        nextMs = Math.min(nextMs, state.deadlineMs + EXPIRED_IN_MEMORY_MS);
      }
      break;
    }
    for (const entry of s.short) {
      nextMs = Math.min(nextMs, dueOf(entry));
      break;
    }
    if (s.awaited.size > 0) nextMs = Math.min(nextMs, s.awaitedDueMs);
    return nextMs === Infinity ? undefined : nextMs;
  }

  /** Whether work is under way that a stop should wait for. */
  isBusy(nowMs: number): boolean {
    for (const { state } of this.state.assignments.values()) {
      if (state.kind === "publishing") return true;
      if (state.kind !== "loading") continue;
      // What could not be kept is looked at by the next start, as well as by us.
      if (isFailing(state.taken)) continue;
      if (state.deadlineMs > nowMs || state.taken?.acknowledged) return true;
    }
    // The original server panics over a row that is left evicting.
    for (const { state } of this.state.entries.values()) {
      if (state.kind === "evicting") return true;
    }
    return false;
  }

  /** What came of an upload is gone, or is counted as a value. */
  giveBack(id: Id, upload: string): void {
    this.state.room.giveBack(id, upload);
    this.state.makeRoom({ urgent: true });
  }

  /** Whether an entry is being computed under a live lease, or published. */
  isLive(name: string, nowMs: number): boolean {
    const state = this.state.entries.get(name)?.state;
    if (state?.kind !== "loading") return state !== undefined;
    return state.deadlineMs > nowMs || state.taken?.acknowledged === true;
  }

  /** Whether work in memory is nobody's. */
  hasExpired(nowMs: number): boolean {
    // The first one was renewed before all others.
    for (const { state } of this.state.assignments.values()) {
      if (state.kind !== "loading") continue;
      if (state.deadlineMs > nowMs) return false;
      // What was accepted is ours to keep.
      if (!state.taken?.acknowledged) return true;
    }
    return false;
  }

  /** Whether somebody waits for room. */
  get isRoomAwaited(): boolean {
    const { wanting, short, arriving } = this.state;
    return wanting.size + short.size + arriving.size > 0;
  }

  /** What has to go so that the quotas are kept. */
  excess(): readonly Excess[] {
    return this.state.room.excess();
  }

  /** The work under way that takes longest. */
  underWay(limit: number, nowMs: number): readonly UnderWay[] {
    return underWay(this.state, limit, nowMs);
  }

  /** What the log says of the entry of an assignment, or of that name. */
  about(
    of: { readonly id: Id } | { readonly name: string },
    nowMs: number,
  ): LogFacts {
    const { assignments, entries } = this.state;
    const entry = "id" in of ? assignments.get(of.id) : entries.get(of.name);
    return entry ? aboutEntry(entry, nowMs) : {};
  }

  /** Why nothing can be kept now, whatever goes, if so. */
  get full(): string | undefined {
    return this.state.room.full;
  }

  /** Each quota but those of all namespaces, and how far it is filled. */
  get quotas(): readonly FilledQuota[] {
    return this.state.room.quotas;
  }

  /** What is ready, as far as the table knows. */
  get kept(): { readonly bytes: number; readonly entries: number } {
    return this.state.room.used;
  }

  /** What the table holds; work whose lease has ended is nobody's. */
  counts(nowMs: number): TableCounts {
    const s = this.state;
    let loading = 0;
    let publishing = 0;
    let waiting = s.stranded.size;
    for (const { patient } of s.awaited) waiting += patient?.size ?? 0;
    for (const { state } of s.assignments.values()) {
      if (state.kind === "publishing") publishing++;
      else if (state.kind === "loading" && state.deadlineMs > nowMs) loading++;
    }
    return {
      loading,
      publishing,
      handles: s.handles.size,
      waits: s.waits.size,
      waiting,
      entries: s.entries.size,
      ...s.tally,
    };
  }

  #apply(command: Command, nowMs: number): void {
    const s = this.state;
    switch (command.kind) {
      case "get":
      case "done":
      case "piece":
        return this.#inTime(s.wait(command), nowMs);
      case "heartbeat":
      case "set":
      case "offer":
      case "abandon":
      case "drop":
      case "evict":
      case "sweep":
        return this.#request(s.wait(command), nowMs);
      case "admitted":
        return admitted(s, command.ticket, nowMs);
      case "cancel": {
        const wait = s.waits.get(command.ticket);
        // What was accepted is finished, whether or not anybody listens.
        if (wait) s.settle(wait);
        return;
      }
      case "restore":
        return restore(s, command.row, { captured: command.captured, nowMs });
      case "tick":
        return this.#tick(nowMs);
      case "stood-still":
        return stoodStill(s, command.sinceMs, command.ms);
      case "usage":
        return s.room.update(command.usage, command.disk);
      case "swept":
        s.crowded = false;
        s.room.concluded(command.stuck, command.why);
        return this.#giveRoom(nowMs, { conclude: true });
      case "drain":
        s.draining = true;
        return this.#giveRoom(nowMs, { conclude: true });
      case "leave":
        s.leaving = true;
        return sendAllOn(s);
      case "found-id":
        return foundId(s, command, nowMs);
      default:
        return this.#result(command, nowMs);
    }
  }

  /** A request that is answered in time, whatever happens. */
  #inTime(wait: Wait, nowMs: number): void {
    const s = this.state;
    this.#request(wait, nowMs);
    // What is written down lies there for half a second, and is an old object by
    // then: V8 would collect all of those more often.
    if (wait.live) s.due.add(wait.request.ticket, nowMs + MAX_REPLY_WAIT_MS);
  }

  #request(wait: Wait, nowMs: number): void {
    const s = this.state;
    if (isFor(wait, "get")) return get(s, wait, nowMs);
    if (isFor(wait, "piece")) return arrive(s, wait);
    if (isFor(wait, "drop")) return drop(s, wait, nowMs);
    if (isFor(wait, "evict")) return evict(s, wait);
    if (isFor(wait, "sweep")) return sweep(s, wait);
    if (isById(wait)) return byId(s, wait, nowMs);
  }

  /** Feeds an effect's result in; whoever is not waiting for it any more drops it. */
  #result(result: Exclude<Result, { kind: "found-id" }>, nowMs: number): void {
    const s = this.state;
    const entry = s.entries.get(result.name);
    if (!entry) return;
    const { state } = entry;
    switch (result.kind) {
      case "asked":
        if (state.kind !== "asking" || state.token !== result.token) return;
        return asked(s, entry, result.asked, nowMs);
      case "probed":
        return probed(s, entry, result, nowMs);
      case "read":
        return read(s, entry, result);
      case "verified":
        return state.kind === "publishing"
          ? rechecked(s, entry, result, nowMs)
          : verified(s, entry, result, nowMs);
      case "damaged":
        return state.kind === "publishing"
          ? rechecked(s, entry, result, nowMs)
          : damaged(s, entry, result);
      case "unreadable":
        return state.kind === "publishing"
          ? rechecked(s, entry, result, nowMs)
          : unreadable(s, entry, result);
      case "publish-failed":
        return publishFailed(s, entry, result, nowMs);
      case "evicted":
        return evicted(s, entry, result);
      default:
        return published(s, entry, result, nowMs);
    }
  }

  #tick(nowMs: number): void {
    const s = this.state;
    let ticket: Ticket | undefined;
    while ((ticket = s.due.takeDue(nowMs)) !== undefined) {
      const wait = s.waits.get(ticket);
      if (!wait) continue;
      wait.inTime = false;
      if (isFor(wait, "piece")) arrive(s, wait);
      else if (isFor(wait, "get")) getIsDue(s, wait);
      else if (isFor(wait, "done")) {
        publishIsDue(s, s.assignments.get(wait.request.id));
      }
    }
    for (const entry of s.short) {
      if (dueOf(entry) <= nowMs) lookForRoom(s, entry, nowMs);
    }
    expireHandles(s, nowMs);
    expireAssignments(s, nowMs);
    wakeDue(s, nowMs);
  }

  get #isRoomToBeGiven(): boolean {
    return this.state.room.changed && this.isRoomAwaited;
  }

  /**
   * Gives room to those who wait for it, values first; `conclude`: those for
   * whom nothing is under way any more wait no longer.
   */
  #giveRoom(nowMs: number, { conclude = false } = {}): void {
    const s = this.state;
    if (!conclude && !this.#isRoomToBeGiven) return;
    s.room.changed = false;
    s.releaseDead();
    for (const entry of [...s.short]) lookForRoom(s, entry, nowMs);
    for (const wait of [...s.arriving]) arrive(s, wait);
    for (const [namespace, waits] of [...s.wanting]) {
      for (const wait of conclude ? [...waits] : waits) {
        const hasRoom = s.room.hasRoom(namespace);
        if (!conclude && !hasRoom) break;
        s.wantNoRoom(wait);
        // Somebody else may have the work by now.
        const isAsked = s.entries.has(wait.request.entry.name);
        if (hasRoom || isAsked) get(s, wait, nowMs);
        else refuse(s, wait);
      }
    }
  }

  #lookAgain(nowMs: number): void {
    const s = this.state;
    const { again: waits, woken } = s;
    s.again = [];
    s.woken = [];
    for (const entry of woken) {
      for (const wait of s.takeWaits(entry)) waits.push(wait);
    }
    for (const wait of waits) if (wait.live) this.#request(wait, nowMs);
    for (const entry of woken) {
      if (s.entries.get(entry.key.name) === entry) s.rest(entry);
    }
  }
}

/** When a publish waits for room no longer. */
function dueOf({ state }: Entry): number {
  return state.kind === "publishing" ? state.short?.dueMs ?? 0 : 0;
}
