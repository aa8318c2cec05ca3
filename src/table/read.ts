/**
 * Reading what is ready: the bytes for remote clients, a verified file and a
 * handle on it for local ones.
 *
 * @module
 */

import { startEvicting } from "./evict.ts";
import { giveHandle } from "./handles.ts";
import type { Entry, State, Wait } from "./state.ts";
import type { Result } from "./types.ts";

type Of<K extends Result["kind"]> = Result & { kind: K };

/** Reads the value, unless that is under way. */
export function startReading(s: State, entry: Entry): void {
  const { state, key } = entry;
  s.resting.delete(key.name);
  if (state.kind !== "ready" || state.reading !== undefined) return;
  const { digest, generation } = state;
  if (!digest) return;
  const token = state.reading = s.nextToken();
  s.emit({ kind: "read", entry: key, token, digest, generation });
}

/** Verifies the file, unless that is under way. */
export function startVerifying(s: State, entry: Entry, nowMs: number): void {
  const { state, key } = entry;
  s.resting.delete(key.name);
  if (state.kind !== "ready" || state.verifying !== undefined) return;
  const { digest, stamp } = state;
  const token = state.verifying = s.nextToken();
  const hand = isToBeHanded(s, entry, nowMs);
  s.emit({
    kind: "verify",
    entry: key,
    token,
    ...(digest ? { digest } : {}),
    ...(stamp ? { stamp } : {}),
    ...(hand ? { hand } : {}),
  });
}

/**
 * Whether a handle is to be given out that the entry's row does not tell of. It
 * is written once in half a lease, not for every handle: after a restart, what
 * was handed out in the last one and a half leases is not evicted for a lease.
 */
function isToBeHanded(s: State, entry: Entry, nowMs: number): boolean {
  const { state, waits } = entry;
  if (state.kind !== "ready") return false;
  const { handedMs = -Infinity } = state;
  return nowMs - handedMs >= s.options.handleLeaseMs / 2 &&
    waits.some(({ live, request }) =>
      live && request.kind === "get" && request.api === "local"
    );
}

/** A value has been read: everybody who waited for it gets it. */
export function read(s: State, entry: Entry, result: Of<"read">): void {
  const { state } = entry;
  if (state.kind !== "ready" || state.reading !== result.token) return;
  delete state.reading;
  const reply = { kind: "value", value: result.value } as const;
  takeWaits(entry, "remote").forEach((wait) => s.reply(wait, reply));
  s.wake(entry);
  s.rest(entry);
}

/** A file has been verified: everybody who waited for it gets a handle. */
export function verified(
  s: State,
  entry: Entry,
  result: Of<"verified">,
  nowMs: number,
): void {
  const { state, key } = entry;
  if (state.kind !== "ready" || state.verifying !== result.token) return;
  delete state.verifying;
  state.stamp = result.stamp;
  if (result.handed) state.handedMs = nowMs;
  if (!state.digest) {
    // The original server kept no digest: the first look at the file is it.
    state.digest = result.digest;
    const { generation: id, digest } = state;
    state.rowId = id;
    s.emit({ kind: "complete", entry: key, id, digest });
  }
  if (isToBeHanded(s, entry, nowMs)) {
    // A local client came while a remote one's file was being looked at.
    startVerifying(s, entry, nowMs);
  } else {
    for (const wait of takeWaits(entry, "local")) {
      if (wait.live) giveHandle(s, entry, wait, nowMs);
    }
  }
  s.wake(entry);
  s.rest(entry);
}

/** The blob is not what was published: it is no longer an entry. */
export function damaged(s: State, entry: Entry, result: Of<"damaged">): void {
  const { state } = entry;
  if (state.kind !== "ready" || !isUnderWay(state, result.token)) return;
  const { rowId } = state;
  startEvicting(s, entry, { damaged: true, rowId });
}

/** Nothing can be said of the blob: the client computes for itself. */
export function unreadable(
  s: State,
  entry: Entry,
  result: Of<"unreadable">,
): void {
  const { state } = entry;
  if (state.kind !== "ready" || !isUnderWay(state, result.token)) return;
  const api = state.reading === result.token ? "remote" : undefined;
  if (state.reading === result.token) delete state.reading;
  if (state.verifying === result.token) delete state.verifying;
  const reply = { kind: "unassigned", reason: "failed" } as const;
  takeWaits(entry, api).forEach((wait) => s.reply(wait, reply));
  s.wake(entry);
  s.rest(entry);
}

function isUnderWay(
  state: { readonly reading?: number; readonly verifying?: number },
  token: number,
): boolean {
  return state.reading === token || state.verifying === token;
}

/** Takes the Gets that wait at the entry: those of one service, or all. */
function takeWaits(entry: Entry, api?: "local" | "remote"): Wait[] {
  const taken: Wait[] = [];
  const left: Wait[] = [];
  for (const wait of entry.waits) {
    const { request } = wait;
    const fits = request.kind === "get" && (!api || request.api === api);
    (fits ? taken : left).push(wait);
  }
  entry.waits = left;
  return taken;
}
