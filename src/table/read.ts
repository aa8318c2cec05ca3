/**
 * Reading what is ready: the bytes, or a verified file and a handle on it for
 * local clients and for large streams.
 *
 * @module
 */

import { LOOK_COUNTS_MS } from "../limits.ts";
import { startEvicting } from "./evicting.ts";
import { timesLeft } from "./expiry.ts";
import { giveHandle } from "./handles.ts";
import {
  type Entry,
  type EntryState,
  type GetWait,
  isFor,
  type State,
  type Wait,
} from "./state.ts";
import type { Digest, Reply, RequestOf, Result, Unticketed } from "./types.ts";

type Of<K extends Result["kind"]> = Result & { kind: K };
type Get = RequestOf<"get">;
type Ready = EntryState & { kind: "ready" };
type ValueReply = Reply & { kind: "value" };

/** Whether a Get is given a handle rather than the bytes themselves. */
export function getsHandle(
  s: State,
  get: Pick<Get, "api" | "fromDisk">,
  { size }: Digest,
): boolean {
  const { api, fromDisk } = get;
  return api === "local" || (api === "stream" && size > s.streamBytes) ||
    fromDisk === true;
}

/**
 * Answers a Get that takes nothing but a value in memory, for which nobody has to
 * make room: nearly every Get is one, and need not wait, or be written down.
 */
export function atHand(s: State, get: Unticketed<Get>): ValueReply | undefined {
  const entry = s.entries.get(get.entry.name);
  if (entry === undefined || entry.state.kind !== "ready") return undefined;
  const { state } = entry;
  const { digest, expiresMs } = state;
  // Of one that has an end a step has to say whether that has come.
  if (digest === undefined || expiresMs !== undefined) return undefined;
  const { maxValueBytes } = s.options;
  if (digest.size > Math.min(s.uncountedBytes, maxValueBytes)) return undefined;
  if (getsHandle(s, get, digest)) return undefined;
  const value = inMemory(s, entry);
  if (value === undefined) return undefined;
  s.found(get, state.computedMs);
  s.rest(entry);
  return valueReply(s, state, get, value);
}

/** Answers a Get with a value that is in memory; false: it has to be read. */
export function giveFromMemory(
  s: State,
  entry: Entry,
  wait: GetWait,
): boolean {
  const { state, key } = entry;
  const value = inMemory(s, entry);
  if (state.kind !== "ready" || value === undefined) return false;
  s.emit({ kind: "used", entry: key });
  giveValue(s, state, wait, value);
  s.rest(entry);
  return true;
}

function inMemory(
  s: State,
  { state, key }: Entry,
): Uint8Array | undefined {
  if (state.kind !== "ready" || state.reading !== undefined) return undefined;
  return s.options.inMemory?.(key.name, state.generation);
}

/**
 * Hands out a file that was found whole a moment ago for several at once; false: it
 * has to be verified.
 */
export function giveVerified(
  s: State,
  entry: Entry,
  wait: GetWait,
  nowMs: number,
): boolean {
  const { state, key } = entry;
  if (state.kind !== "ready" || state.verifying !== undefined) return false;
  const { request } = wait;
  const { verifiedMs } = state;
  if (verifiedMs === undefined || nowMs - verifiedMs >= LOOK_COUNTS_MS) {
    return false;
  }
  if (request.fromDisk || isToBeHanded(s, state, request, nowMs)) return false;
  s.emit({ kind: "used", entry: key });
  giveHandle(s, entry, wait, nowMs);
  s.rest(entry);
  return true;
}

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
  const token = s.nextToken();
  const hand = isWaitedFor(
    entry,
    (get) => isToBeHanded(s, state, get, nowMs),
  );
  const bytes = isWaitedFor(entry, ({ fromDisk }) => fromDisk);
  state.verifying = { token, beganMs: nowMs, bytes };
  s.emit({
    kind: "verify",
    entry: key,
    token,
    ...(digest ? { digest } : {}),
    ...(stamp && !bytes ? { stamp } : {}),
    ...(hand ? { hand } : {}),
  });
}

/**
 * Whether a Get is given a handle that the entry's row does not tell of. It is
 * written once in half a lease, not for every handle: after a restart, what was
 * handed out in the last one and a half leases is not evicted for a lease.
 */
function isToBeHanded(
  s: State,
  { handedMs = -Infinity }: Ready,
  { api }: Get,
  nowMs: number,
): boolean {
  return api === "local" && nowMs - handedMs >= s.options.handleLeaseMs / 2;
}

/** Whether a Get of some kind waits at the entry. */
function isWaitedFor(
  { waits }: Entry,
  ofKind: (get: Get) => boolean | undefined,
): boolean {
  return waits.some(({ live, request }) =>
    live && request.kind === "get" && ofKind(request)
  );
}

/** A value has been read: everybody who waited for it gets it. */
export function read(s: State, entry: Entry, result: Of<"read">): void {
  const { state } = entry;
  if (state.kind !== "ready" || state.reading !== result.token) return;
  state.reading = undefined;
  const { value } = result;
  for (const wait of takeGets(entry, (get) => !isGivenHandle(s, state, get))) {
    giveValue(s, state, wait, value);
  }
  s.wake(entry);
  s.rest(entry);
}

function giveValue(
  s: State,
  state: Ready,
  wait: GetWait,
  value: Uint8Array,
): void {
  s.countHit(wait, state.computedMs);
  s.reply(wait, valueReply(s, state, wait.request, value));
}

function valueReply(
  s: State,
  state: Ready,
  { api }: Pick<Get, "api">,
  value: Uint8Array,
): ValueReply {
  const { digest } = state;
  return api === "stream" && digest
    ? { kind: "value", value, digest, times: timesLeft(state, s.nowMs) }
    : { kind: "value", value };
}

/** Whether a Get waits for a handle; one that cannot be known yet, for the digest. */
function isGivenHandle(s: State, state: Ready, get: Get): boolean {
  return !state.digest || getsHandle(s, get, state.digest);
}

/** A file has been verified: everybody who waited for it gets a handle. */
export function verified(
  s: State,
  entry: Entry,
  result: Of<"verified">,
  nowMs: number,
): void {
  const { state, key } = entry;
  if (state.kind !== "ready") return;
  const { verifying } = state;
  if (verifying?.token !== result.token) return;
  state.verifying = undefined;
  state.stamp = result.stamp;
  if (result.handed) state.handedMs = nowMs;
  if (!state.digest) {
    // The original server kept no digest: the first look at the file is it.
    state.digest = result.digest;
    const { generation: id, digest } = state;
    state.rowId = id;
    s.emit({ kind: "complete", entry: key, id, digest });
  }
  const isEnough = !isWaitedFor(
    entry,
    (get) =>
      (get.fromDisk && !verifying.bytes) || isToBeHanded(s, state, get, nowMs),
  );
  if (!isEnough) {
    // One who wants more than that came while the file was being looked at.
    startVerifying(s, entry, nowMs);
  } else {
    const waits = takeGets(entry, (get) => isGivenHandle(s, state, get));
    // Whoever asks alone may look between two Gets at what it did to the file.
    state.verifiedMs = waits.length > 1 ? verifying.beganMs : undefined;
    for (const wait of waits) {
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
  const isRead = state.reading === result.token;
  if (isRead) state.reading = undefined;
  if (state.verifying?.token === result.token) state.verifying = undefined;
  const reply = { kind: "unassigned", reason: "failed" } as const;
  takeGets(entry, (get) => !isRead || !isGivenHandle(s, state, get))
    .forEach((wait) => s.reply(wait, reply));
  s.wake(entry);
  s.rest(entry);
}

function isUnderWay(
  state: Ready,
  token: number,
): boolean {
  return state.reading === token || state.verifying?.token === token;
}

/** Takes those Gets that wait at the entry. */
function takeGets(entry: Entry, wanted: (get: Get) => boolean): GetWait[] {
  const taken: GetWait[] = [];
  const left: Wait[] = [];
  for (const wait of entry.waits) {
    if (isFor(wait, "get") && wanted(wait.request)) taken.push(wait);
    else left.push(wait);
  }
  entry.waits = left;
  return taken;
}
