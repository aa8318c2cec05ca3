/**
 * Ids: heartbeats, the assignment an id stands for, and leases that end.
 *
 * @module
 */

import { LarderError } from "../errors.ts";
import { EXPIRED_IN_MEMORY_MS } from "../limits.ts";
import { adopt } from "./asked.ts";
import { entryOfRow } from "./asking.ts";
import { abandon } from "./get.ts";
import { heardHolder } from "./grace.ts";
import { renewHandle } from "./handles.ts";
import { dueMs } from "./patience.ts";
import { isBringing, outcome, publish, republish } from "./publish.ts";
import { type Entry, isFor, ownerOf, type State, type Wait } from "./state.ts";
import type { Id, RequestOf, Result } from "./types.ts";

/** Requests of whoever has an id. */
export type ById = RequestOf<
  "heartbeat" | "set" | "done" | "offer" | "abandon"
>;

/** Whether a wait is for one of them. */
export function isById(wait: Wait): wait is Wait<ById> {
  return "id" in wait.request && !isFor(wait, "drop") && !isFor(wait, "piece");
}

/** What these do depends on what the id stands for. */
export function byId(s: State, wait: Wait<ById>, nowMs: number): void {
  const { request } = wait;
  const entry = s.assignments.get(request.id);
  if (entry && ownerOf(entry) === request.by) {
    if (request.kind === "abandon") return abandon(s, entry, wait);
    if (!mayPublish(request, entry.key.namespace)) {
      return s.reply(wait, { kind: "error", error: invalid(request.id) });
    }
    heardHolder(s, entry, request.id);
    if (isBringing(wait)) return publish(s, entry, wait, nowMs);
    renew(s, entry, request.id, nowMs);
    return s.reply(wait, { kind: "ok" });
  }
  if (request.kind === "heartbeat" && renewHandle(s, request, nowMs)) {
    return s.reply(wait, { kind: "ok" });
  }
  const { ticket, id } = request;
  s.emit({ kind: "find-id", ticket, id });
}

/** Rights may have gone since the work was given. To give it back needs none. */
function mayPublish(request: ById, namespace: string): boolean {
  return request.kind === "abandon" ||
    (request.mayWrite?.(namespace) ?? true);
}

function renew(s: State, entry: Entry, id: Id, nowMs: number): void {
  if (entry.state.kind !== "loading") return;
  entry.state.work.heardMs = nowMs;
  entry.state.deadlineMs = Math.max(
    entry.state.deadlineMs,
    nowMs + s.options.leaseTimeoutMs,
  );
  s.hold(id, entry);
  if (!s.awaited.has(entry)) return;
  // In a drain, nobody waited for the end of a lease that had ended.
  s.awaitedDueMs = Math.min(s.awaitedDueMs, dueMs(s, entry));
}

/** The manifest has looked an id up that is not in memory. */
export function foundId(
  s: State,
  result: Result & { kind: "found-id" },
  nowMs: number,
): void {
  const wait = s.waits.get(result.ticket);
  if (!wait || !isById(wait)) return;
  const { row, error } = result;
  const { id } = wait.request;
  if (error) return s.reply(wait, { kind: "error", error });
  // Another's id is answered like one that never was.
  const isOwn = row && row.status !== "evicting" &&
    row.owner === wait.request.by && mayPublish(wait.request, row.namespace);
  if (!isOwn) return s.reply(wait, { kind: "error", error: invalid(id) });
  if (row.status !== "loading") {
    // It has published: there is nothing left to do, and nothing changes.
    forgetUnsure(s, id);
    const digest = row.status === "ready" ? row.digest : undefined;
    return s.reply(wait, outcome(wait, digest));
  }
  const entry = s.entries.get(row.name);
  if (!entry) {
    // It expired long ago and nobody has taken it over: it is still its holder's.
    const adopted = entryOfRow(s, row);
    adopt(s, adopted, row, { nowMs });
    renew(s, adopted, id, nowMs);
    return byId(s, wait, nowMs);
  }
  if (entry.state.kind === "asking" || entry.state.kind === "evicting") {
    return void entry.waits.push(wait);
  }
  if (s.assignments.get(id) === entry) {
    if (entry.state.kind === "loading") delete entry.state.unsure;
    return byId(s, wait, nowMs);
  }
  // What is in memory is newer than what was found: it is looked up again.
  s.emit({ kind: "find-id", ticket: result.ticket, id });
}

/** A publish that seemed to have failed had not: the manifest knows the entry. */
function forgetUnsure(s: State, id: Id): void {
  const entry = s.assignments.get(id);
  if (entry?.state.kind !== "loading" || !entry.state.unsure) return;
  const { staging } = entry.state.assignment;
  if (staging !== undefined) s.emit({ kind: "discard", staging });
  s.letGo(id);
  s.release(entry);
}

function invalid(id: Id): LarderError {
  const message = `invalid assignment id: ${id} is unknown, or the work was ` +
    "given to another client after its lease expired; ask again with Get";
  return new LarderError("invalid-assignment-id", message);
}

/** Lets assignments that expired a while ago rest on disk only. */
export function expireAssignments(s: State, nowMs: number): void {
  for (const [id, entry] of s.assignments) {
    const { state } = entry;
    if (state.kind === "loading") {
      if (state.deadlineMs + EXPIRED_IN_MEMORY_MS > nowMs) return;
      s.letGo(id);
      if (state.probe === undefined && !republish(s, entry)) {
        s.release(entry);
        continue;
      }
    }
    // Still busy: it is looked at again after the others.
    s.hold(id, entry);
    return;
  }
}
