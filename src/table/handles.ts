/**
 * Handles: what local clients read is pinned until they drop it, or until the
 * handle's lease ends.
 *
 * @module
 */

import { LarderError } from "../errors.ts";
import { MAX_EXPIRED_HANDLES } from "../limits.ts";
import { timesLeft } from "./expiry.ts";
import type { Entry, GetWait, Handle, State, Wait } from "./state.ts";
import type { Id, RequestOf } from "./types.ts";

/** Pins a verified file. */
export function giveHandle(
  s: State,
  entry: Entry,
  wait: GetWait,
  nowMs: number,
): void {
  const { state, key: { name } } = entry;
  if (state.kind !== "ready" || !state.digest || !state.stamp) return;
  if (s.handles.size >= s.maxHandles) {
    return s.reply(wait, { kind: "unassigned", reason: "full" });
  }
  const detail = s.overHandles(wait.request);
  if (detail !== undefined) {
    const reason = "caller-handles";
    return s.reply(wait, { kind: "unassigned", reason, detail });
  }
  const id = s.options.newId();
  const expiresMs = nowMs + s.options.handleLeaseMs;
  const { by } = wait.request;
  const owner = by === undefined ? {} : { by };
  const { generation } = state;
  s.handles.set(id, { name, generation, expiresMs, ...owner });
  if (by !== undefined) s.namedHandles.add(id, by);
  state.pins++;
  const { digest, stamp } = state;
  const times = timesLeft(state, nowMs);
  s.countHit(wait, state.computedMs);
  s.reply(wait, { kind: "handle", id, name, digest, stamp, times, ...owner });
}

/** Releases one handle. */
export function drop(
  s: State,
  wait: Wait<RequestOf<"drop">>,
  nowMs: number,
): void {
  const { id, by } = wait.request;
  const handle = s.handles.get(id);
  if (handle && handle.by === by) {
    forget(s, id);
    unpin(s, handle);
    return s.reply(wait, { kind: "ok" });
  }
  // Genuine handles that we do not know any more are no mistake of the client.
  const { servedBefore, handleLeaseMs } = s.options;
  const ofAnEarlierRun = servedBefore && nowMs < s.startMs + handleLeaseMs;
  const isExpired = s.expiredHandles.has(id) &&
    s.expiredHandles.get(id)!.by === by;
  if (isExpired) s.expiredHandles.delete(id);
  if (isExpired || ofAnEarlierRun) {
    return s.reply(wait, { kind: "ok" });
  }
  const message =
    `invalid handle id: ${id} was never given out, or was dropped`;
  const error = new LarderError("invalid-handle-id", message);
  s.reply(wait, { kind: "error", error });
}

/** Renews a handle; false where the id is no handle. */
export function renewHandle(
  s: State,
  { id, by }: { readonly id: Id; readonly by?: string },
  nowMs: number,
): boolean {
  const handle = s.handles.get(id);
  if (!handle || handle.by !== by) return false;
  s.handles.delete(id);
  s.handles.set(id, handle);
  handle.expiresMs = nowMs + s.options.handleLeaseMs;
  return true;
}

/** Ends the handles whose lease is over. */
export function expireHandles(s: State, nowMs: number): void {
  for (const [id, handle] of s.handles) {
    if (handle.expiresMs > nowMs) break;
    forget(s, id);
    const untilMs = nowMs + s.options.handleLeaseMs;
    s.expiredHandles.set(id, { untilMs, by: handle.by });
    unpin(s, handle);
  }
  for (const [id, { untilMs }] of s.expiredHandles) {
    if (untilMs > nowMs && s.expiredHandles.size <= MAX_EXPIRED_HANDLES) break;
    s.expiredHandles.delete(id);
  }
}

function forget(s: State, id: Id): void {
  s.handles.delete(id);
  s.namedHandles.remove(id);
}

function unpin(s: State, handle: Handle): void {
  const entry = s.entries.get(handle.name);
  if (
    entry?.state.kind !== "ready" ||
    entry.state.generation !== handle.generation
  ) return;
  entry.state.pins--;
  if (entry.state.pins === 0) s.room.unpin(entry.key.namespace);
  s.rest(entry);
}
