/**
 * What the one judge of the contract remembers: what clients were told, what they wrote, and
 * until when they may rely on it. It knows nothing of how the server works.
 *
 * All times are of the time that really passes. A lease's end is a lower
 * bound: until then the contract protects its holder.
 *
 * @module
 */

import type { MemoryNode } from "../../src/blobs/testing/memory_files.ts";
import type { Id, Quota } from "../../src/table/types.ts";
import { Brought } from "./brought.ts";

/** What the contract promised, in milliseconds and bytes. */
export interface Promises {
  readonly leaseTimeoutMs: number;
  readonly restartGraceMs: number;
  readonly handleLeaseMs: number;
  readonly maxValueBytes: number;
  /** How many may compute at once. */
  readonly maxAssignments: number;
  /** How many handles there may be at once. */
  readonly maxHandles: number;
  /** Whoever computes for longer loses the work to whoever asks; absent: nobody. */
  readonly maxComputeMs: number | undefined;
  /** What may be kept; empty: everything. */
  readonly quotas: readonly Quota[];
}

/** An assignment that a client was told of. */
export interface Grant {
  readonly id: Id;
  readonly name: string;
  readonly staging: string | undefined;
  /** What may become its value. */
  readonly brought: Brought;
  /** The process that gave it. */
  readonly process: number;
  /** Until then nobody else may be assigned. */
  leaseEndMs: number;
  /** When the grace ends at the latest that the first restart gave it. */
  graceEndsMs: number;
  /** The same, because its file was seen to change; void after a clock jump. */
  writingUntilMs: number;
  /** Since when it computes, for all that the server knows: at the earliest. */
  sinceMs: number;
  /** The same, at the latest. */
  surelySinceMs: number;
  /** Since when somebody else has been assigned. */
  supersededMs: number;
  /** Somebody gave the work back, or tried to: it may go to another. */
  abandoned: boolean;
  /** When it was last heard of after the end of its lease. */
  revivedMs: number;
  /** A Set or a Done was answered with OK. */
  acknowledged: boolean;
  /** Since when its row has been gone, or going. */
  goneMs: number;
  /** Since when its bytes are known to be spoilt, by us. */
  damagedMs: number;
  /** What its client wrote to when nobody had a name for it: a power cut may bring it back. */
  nameless: MemoryNode | undefined;
  /** What its row became ready with. */
  published: string | undefined;
  /** It was accepted before its size was known: it is kept, come what may. */
  forced: boolean;
}

/** A handle that a client was told of. */
export interface Pin {
  readonly id: Id;
  readonly name: string;
  /** The assignment whose bytes it names. */
  readonly of: Id;
  readonly process: number;
  /** It names a path; others are given up by a restart. */
  readonly isPath: boolean;
  readonly givenMs: number;
  /** To write into its row when it was handed out took half a lease. */
  readonly isWrittenLate: boolean;
  expiresMs: number;
  /** How often it was dropped. */
  drops: number;
}

/** What is known of an entry. */
export interface Known {
  readonly name: string;
  /** Who was assigned last. */
  holder: Grant | undefined;
  /** Since when its row has been ready; `Infinity`: it is not. */
  readySinceMs: number;
  /** When something last kept it from coming to rest. */
  activeMs: number;
  /** When it was last on its way out. */
  leavingMs: number;
  /** When the last look at its file began that has been answered. */
  lookedMs: number;
  /** When the look began that is under way. */
  lookingMs: number;
  /** When its row was last told that it is used; when that was answered. */
  touch: { calledMs: number; endedMs: number };
  /** Operations of stores that are under way. */
  underway: number;
  /** Operations that take it away. */
  leaving: number;
  /** Requests to evict it that were not answered. */
  evicts: number;
  /** The server's own wishes that it goes, to make room. */
  crowded: number;
}

/** Everything that clients were told and have written. */
export class Ledger {
  readonly grants = new Map<Id, Grant>();
  readonly pins = new Map<Id, Pin>();
  readonly entries = new Map<string, Known>();
  /** Which entry a staging file is for. */
  readonly nameOfStaging = new Map<string, string>();
  /** Counts what happened, by name: a run in which nothing happens proves nothing. */
  readonly tally: Record<string, number> = {};
  /** When the wall clock last jumped. */
  jumpedMs = -Infinity;
  /** Since when the server gives out no more work. */
  drainingMs = Infinity;
  /** When the serving process began. */
  startedMs = 0;

  /** Something worth knowing happened. */
  count(what: string): void {
    this.tally[what] = (this.tally[what] ?? 0) + 1;
  }

  /** What is known of an entry. */
  entry(name: string): Known {
    const known = this.entries.get(name) ?? {
      name,
      holder: undefined,
      readySinceMs: Infinity,
      activeMs: 0,
      leavingMs: -1,
      lookedMs: 0,
      lookingMs: 0,
      touch: { calledMs: 0, endedMs: 0 },
      underway: 0,
      leaving: 0,
      evicts: 0,
      crowded: 0,
    };
    this.entries.set(name, known);
    return known;
  }

  /** A process begins. */
  restarted(nowMs: number, { restartGraceMs }: Promises): void {
    this.drainingMs = Infinity;
    this.startedMs = nowMs;
    for (const entry of this.entries.values()) {
      Object.assign(entry, { underway: 0, leaving: 0, evicts: 0, crowded: 0 });
    }
    for (const grant of this.grants.values()) {
      // Heartbeats may make it longer; it is kept by the wall clock.
      grant.graceEndsMs = Math.min(grant.graceEndsMs, nowMs + restartGraceMs);
      grant.leaseEndMs = this.jumpedMs === -Infinity
        ? Math.max(nowMs, grant.graceEndsMs)
        : nowMs;
      grant.sinceMs = nowMs;
    }
  }

  /** A process has recovered: what it found is given its grace. */
  serving(nowMs: number): void {
    for (const entry of this.entries.values()) entry.activeMs = nowMs;
    for (const grant of this.grants.values()) {
      grant.surelySinceMs = nowMs;
    }
  }

  /** A client was assigned. */
  grant(
    { id, name, staging, process }: Pick<
      Grant,
      "id" | "name" | "staging" | "process"
    >,
    { nowMs, leaseEndMs }: { readonly nowMs: number; leaseEndMs: number },
  ): void {
    const entry = this.entry(name);
    if (entry.holder) {
      entry.holder.supersededMs = Math.min(entry.holder.supersededMs, nowMs);
    }
    entry.holder = {
      id,
      name,
      staging,
      brought: new Brought(),
      process,
      leaseEndMs,
      graceEndsMs: Infinity,
      writingUntilMs: 0,
      sinceMs: nowMs,
      surelySinceMs: nowMs,
      supersededMs: Infinity,
      abandoned: false,
      revivedMs: -Infinity,
      acknowledged: false,
      goneMs: Infinity,
      damagedMs: Infinity,
      nameless: undefined,
      published: undefined,
      forced: false,
    };
    this.grants.set(id, entry.holder);
  }
}

/** Whether somebody else may be assigned. */
export function isLeaseOver(grant: Grant | undefined, nowMs: number): boolean {
  if (!grant || grant.abandoned) return true;
  return Math.max(grant.leaseEndMs, grant.writingUntilMs) <= nowMs;
}

/** Whether it computes for longer than anybody may. */
export function isOverdue(
  grant: Grant | undefined,
  nowMs: number,
  { maxComputeMs = Infinity }: Promises,
): boolean {
  return grant !== undefined && grant.sinceMs + maxComputeMs <= nowMs;
}

/** Whether somebody may be sent away because others have work or handles. */
export function isBounded({ maxAssignments, maxHandles }: Promises): boolean {
  return Math.min(maxAssignments, maxHandles) < Infinity;
}

/** Bytes as text: values are text in a simulation. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
