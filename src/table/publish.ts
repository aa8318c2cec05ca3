/**
 * Set, Done and offers: from an accepted value to a ready entry, a step at a
 * time.
 *
 * Set:   put → persist.
 * Done:  capture → (hash) → record → install → persist.
 * Offer: install → persist.
 *
 * @module
 */

import { LarderError } from "../errors.ts";
import { MAX_REPLY_WAIT_MS } from "../limits.ts";
import type { Shortage } from "./room.ts";
import {
  type Entry,
  type EntryState,
  isFor,
  type State,
  type Wait,
} from "./state.ts";
import type { Digest, Reply, RequestOf, Result } from "./types.ts";
import { computingFor } from "./under_way.ts";

type Of<K extends Result["kind"]> = Result & { kind: K };
type Publishing = EntryState & { kind: "publishing" };

/** Requests that bring a value. */
export type Bringing = RequestOf<"set" | "done" | "offer">;

/** Whether a wait is for one of them. */
export function isBringing(wait: Wait): wait is Wait<Bringing> {
  const { kind } = wait.request;
  return kind === "set" || kind === "done" || kind === "offer";
}

/** A value for an assignment that is in memory. */
export function publish(
  s: State,
  entry: Entry,
  wait: Wait<Bringing>,
  nowMs: number,
): void {
  const { state, key: { name } } = entry;
  const { request } = wait;
  if (state.kind === "publishing") {
    // Whatever it brings, the first one's outcome is this one's too.
    state.joined.push(wait);
    return answerDue(s, state);
  }
  if (state.kind !== "loading") return;
  if (request.kind === "done" || state.taken?.acknowledged) {
    if (state.assignment.staging === undefined) {
      return s.reply(wait, { kind: "error", error: noPath(request.id) });
    }
    return publishFile(s, entry, wait);
  }
  if (state.unsure) {
    // Another value must not be written under a row that is Ready already.
    const { ticket, id } = request;
    return s.emit({ kind: "find-id", ticket, id });
  }
  // The file of a Done that was refused: this value comes instead of it.
  delete state.taken;
  if (request.kind === "offer") {
    return publishUpload(s, entry, { wait, offer: request, nowMs });
  }
  const token = begin(s, entry, { wait });
  const size = request.value.length;
  whenRoom(s, entry, { size, coming: true, nowMs }, () => {
    s.emit({ kind: "put", name, token, value: request.value });
  });
}

/** Publishes a private file that is whole and has been hashed. */
function publishUpload(
  s: State,
  entry: Entry,
  { wait, offer: { upload, digest }, nowMs }: {
    readonly wait: Wait;
    readonly offer: RequestOf<"offer">;
    readonly nowMs: number;
  },
): void {
  begin(s, entry, { wait, upload });
  whenRoom(s, entry, { size: digest.size, nowMs }, (state) => {
    state.digest = digest;
    install(s, entry, state);
  });
}

/** Publishes the client's file: from where it lies now, or from how far it came. */
export function publishFile(s: State, entry: Entry, wait?: Wait): void {
  const { state, key: { name } } = entry;
  if (state.kind !== "loading") return;
  const { assignment: { staging }, taken, work } = state;
  if (staging === undefined) return;
  // Its client may have written another file since, which may be none to keep.
  if (taken && !taken.acknowledged) taken.found = true;
  const token = begin(s, entry, wait && { wait });
  if (taken?.acknowledged && taken.installed && taken.digest) {
    s.emit({ kind: "verify", entry: entry.key, token, digest: taken.digest });
  } else {
    const mostBytes = s.room.most(entry.key.namespace);
    // Of a Done that was refused, what its client has written since counts.
    const again = taken?.acknowledged && { again: true };
    const first = work.isUntouched && { first: true };
    work.isUntouched = false;
    const how = { mostBytes, ...again, ...first };
    s.emit({ kind: "capture", name, token, staging, ...how });
  }
}

/**
 * Tries again to publish a file whose Done was answered with OK: its client
 * has gone, the value is ours to keep. False where there is no such file.
 */
export function republish(s: State, entry: Entry): boolean {
  const { state } = entry;
  if (state.kind !== "loading" || !state.taken?.acknowledged) return false;
  publishFile(s, entry);
  return true;
}

function begin(
  s: State,
  entry: Entry,
  { wait, upload }: { wait?: Wait; upload?: string } = {},
): number {
  const { state } = entry;
  if (state.kind !== "loading") throw new Error("only loading is published");
  const { assignment, deadlineMs, holderMs, taken, unsure, work } = state;
  const token = s.nextToken();
  entry.state = {
    kind: "publishing",
    assignment,
    work,
    deadlineMs,
    token,
    joined: wait ? [wait] : [],
    ...(holderMs === undefined ? {} : { holderMs }),
    ...(taken ? { taken } : {}),
    ...(unsure ? { unsure } : {}),
    ...(taken?.digest ? { digest: taken.digest } : {}),
    ...(upload === undefined ? {} : { upload }),
  };
  // Gets that waited for the lease to end are told Loading.
  s.wake(entry);
  if (taken) answerDue(s, entry.state);
  return token;
}

/** A step of publishing is done: the next one follows. */
export function published(
  s: State,
  entry: Entry,
  result: Of<
    "stored" | "captured" | "hashed" | "recorded" | "installed" | "persisted"
  >,
  nowMs: number,
): void {
  const { state } = entry;
  if (state.kind !== "publishing" || state.token !== result.token) return;
  switch (result.kind) {
    case "stored":
      state.digest = result.digest;
      state.stamp = result.stamp;
      return persist(s, entry, state);
    case "captured":
      return captured(s, entry, result, nowMs);
    case "hashed":
      return record(s, entry, { digest: result.digest, nowMs });
    case "recorded":
      if (state.taken) state.taken.digest = state.digest!;
      return install(s, entry, state);
    case "installed":
      if (state.taken) state.taken.installed = true;
      state.stamp = result.stamp;
      return persist(s, entry, state);
    case "persisted":
      return finish(s, entry, state, nowMs);
  }
}

/** A file is ours: a large one is hashed once there is room for it. */
function captured(
  s: State,
  entry: Entry,
  { digest, givenBack, isCopied, size }: Of<"captured">,
  nowMs: number,
): void {
  const { state, key: { name, namespace } } = entry;
  if (state.kind !== "publishing") return;
  if (givenBack) {
    delete state.taken;
    const asked = { bytes: size, entries: 0, coming: 0 } as const;
    const shortage = s.room.shortage(namespace, asked);
    const error = noRoom(state.assignment.id, shortage);
    return fail(s, entry, state, { error, nowMs });
  }
  // It may be another file than before: what was recorded is not known to fit.
  const { acknowledged = false, failures = 0 } = state.taken ?? {};
  state.taken = { acknowledged, failures };
  if (digest) {
    answerDue(s, state);
    return record(s, entry, { digest, nowMs });
  }
  const coming = isCopied ?? false;
  whenRoom(s, entry, { size, coming, nowMs }, (state) => {
    answerDue(s, state);
    const token = state.token = s.nextToken();
    const staging = state.assignment.staging!;
    s.emit({ kind: "hash", name, token, staging, size });
  });
}

/**
 * Goes on when the value fits into what may be kept: now, or once the room has
 * been made that is being made. Where it does not, this has failed.
 */
function whenRoom(
  s: State,
  entry: Entry,
  { size, coming = false, nowMs }: {
    size: number;
    /** None of its bytes is on the disk yet. */
    coming?: boolean;
    nowMs: number;
  },
  goOn: (state: Publishing) => void,
): void {
  const { state } = entry;
  if (state.kind !== "publishing") return;
  // From when the first one asked: that is how long calls may wait.
  const arrivedMs = state.joined[0]?.arrivedMs ?? nowMs;
  state.short = {
    size,
    coming,
    dueMs: arrivedMs + MAX_REPLY_WAIT_MS,
    resume: () => goOn(state),
  };
  s.short.add(entry);
  lookForRoom(s, entry, nowMs);
}

/** Looks whether there is room by now for a value that waits for it. */
export function lookForRoom(s: State, entry: Entry, nowMs: number): void {
  const { state, key: { namespace } } = entry;
  if (state.kind !== "publishing" || !state.short) return;
  const { assignment: { id }, taken, upload } = state;
  const { size, coming, dueMs, resume } = state.short;
  s.releaseDead();
  // A Done that was answered with OK is kept, come what may; a copy of its file
  // has to wait for room on the disk.
  const fits = s.room.commit(id, {
    namespace,
    bytes: size,
    upload,
    coming,
    force: !coming && taken?.acknowledged === true,
  });
  s.makeRoom({ urgent: !fits });
  if (fits) {
    endShortage(s, entry);
    return resume();
  }
  const asked = s.room.asked(id, { bytes: size, coming });
  const shortage = s.room.shortage(namespace, asked);
  const waits = !s.draining && nowMs < dueMs && !shortage?.never &&
    s.isHelped(namespace, asked);
  if (waits) return;
  endShortage(s, entry);
  const error = noRoom(id, shortage);
  fail(s, entry, state, { error, nowMs });
}

function endShortage(s: State, entry: Entry): void {
  if (entry.state.kind === "publishing") delete entry.state.short;
  s.short.delete(entry);
}

function record(
  s: State,
  entry: Entry,
  { digest, nowMs }: { digest: Digest; nowMs: number },
): void {
  whenRoom(s, entry, { size: digest.size, nowMs }, (state) => {
    state.digest = digest;
    const token = state.token = s.nextToken();
    const { id } = state.assignment;
    s.emit({ kind: "record", entry: entry.key, token, id, digest });
  });
}

function install(s: State, entry: Entry, state: Publishing): void {
  const token = state.token = s.nextToken();
  const staging = state.upload ?? state.assignment.staging!;
  s.emit({ kind: "install", name: entry.key.name, token, staging });
}

function persist(s: State, entry: Entry, state: Publishing): void {
  const token = state.token = s.nextToken();
  const { assignment: { id }, digest } = state;
  s.emit({ kind: "persist", entry: entry.key, token, id, digest: digest! });
}

function finish(
  s: State,
  entry: Entry,
  state: Publishing,
  nowMs: number,
): void {
  const { assignment: { id, staging, ttlMs }, digest, stamp, joined } = state;
  const { upload, taken } = state;
  // From here on its bytes are those of a value.
  if (upload !== undefined) s.room.giveBack(id, upload);
  s.letGo(id);
  const { namespace } = entry.key;
  s.room.add(namespace, digest!.size);
  s.options.observer?.published(namespace, digest!.size);
  s.makeRoom();
  // A file that was taken away has become the value: nothing is left of it.
  if (staging !== undefined && !taken) s.emit({ kind: "discard", staging });
  entry.state = {
    kind: "ready",
    generation: id,
    rowId: id,
    digest: digest!,
    ...(stamp ? { stamp } : {}),
    // With a file of a local client's, its row says so from the beginning.
    ...(staging === undefined ? {} : { handedMs: nowMs }),
    ...(ttlMs === undefined ? {} : { expiresMs: nowMs + ttlMs }),
    computedMs: computingFor(state.work, nowMs),
    pins: 0,
    reading: undefined,
    verifying: undefined,
  };
  for (const wait of joined) s.reply(wait, outcome(wait, digest));
  s.wake(entry);
  s.rest(entry);
}

/** What a request is answered with whose id has published. */
export function outcome({ request }: Wait, digest?: Digest): Reply {
  const asks = request.kind === "offer" ||
    (request.kind === "done" && request.patient);
  return asks && digest ? { kind: "published", digest } : { kind: "ok" };
}

/** What a failed publish had installed was looked at again. */
export function rechecked(
  s: State,
  entry: Entry,
  result: Of<"verified" | "damaged" | "unreadable">,
  nowMs: number,
): void {
  const { state } = entry;
  if (state.kind !== "publishing" || state.token !== result.token) return;
  switch (result.kind) {
    case "verified":
      delete state.taken?.found;
      answerDue(s, state);
      state.stamp = result.stamp;
      return persist(s, entry, state);
    case "unreadable":
      return fail(s, entry, state, { error: result.error, nowMs });
    case "damaged":
      // A power cut tore it: there is nothing left that could be published.
      delete state.taken;
      return fail(s, entry, state, {
        error: noFile(state.assignment.id),
        nowMs,
      });
  }
}

/** A step failed: the work stays with the client, with a full lease. */
export function publishFailed(
  s: State,
  entry: Entry,
  result: Of<"publish-failed">,
  nowMs: number,
): void {
  const { state } = entry;
  if (state.kind !== "publishing" || state.token !== result.token) return;
  const { error, lost, missing } = result;
  if (!lost && error.code === "no-file") {
    const { taken } = state;
    if (missing && taken?.digest) {
      // It was installed; also where that was reported as failed, perhaps.
      taken.installed = true;
      const token = state.token = s.nextToken();
      const { digest } = taken;
      return s.emit({ kind: "verify", entry: entry.key, token, digest });
    }
    // What was taken has vanished, whoever did that, or something else has come
    // in its place that is no file to keep.
    delete state.taken;
  }
  if (!lost) return fail(s, entry, state, { error, nowMs });
  // The row is another's: what the manifest says now is what counts.
  const { assignment: { id, staging }, joined } = state;
  s.letGo(id);
  s.release(entry);
  if (staging !== undefined) s.emit({ kind: "discard", staging });
  // It may have published before, when that seemed to fail.
  for (const { live, request: { ticket } } of joined) {
    if (live) s.emit({ kind: "find-id", ticket, id });
  }
}

function fail(
  s: State,
  entry: Entry,
  { assignment, joined, taken, stamp, unsure, work, ...before }: Publishing,
  { error, nowMs }: { error: LarderError; nowMs: number },
): void {
  const leaseEndMs = nowMs + s.options.leaseTimeoutMs;
  const { deadlineMs, holderMs = deadlineMs } = before;
  const isOurs = taken?.acknowledged === true;
  // A grace of a start is longer than a lease.
  const laterMs = Math.max(deadlineMs, holderMs, leaseEndMs);
  if (isOurs) taken.failures = (taken.failures ?? 0) + 1;
  entry.state = {
    kind: "loading",
    assignment,
    work,
    // What is ours to keep is tried again then; nobody has to come back for it.
    deadlineMs: isOurs ? leaseEndMs : laterMs,
    ...(isOurs && laterMs > leaseEndMs ? { holderMs: laterMs } : {}),
    ...(taken ? { taken } : {}),
    // With its stamp known, all that was left to do was its row.
    ...(stamp || unsure ? { unsure: true } : {}),
  };
  // What it would have taken is a guess again.
  s.letGo(assignment.id);
  s.hold(assignment.id, entry);
  s.wake(entry);
  for (const wait of joined) s.reply(wait, { kind: "error", error });
}

/** A Done has waited long enough: its file is ours, or will be answered for when it is. */
export function publishIsDue(s: State, entry: Entry | undefined): void {
  if (entry?.state.kind === "publishing") answerDue(s, entry.state);
}

/** A Done whose 500 ms are over: it is answered as soon as its file is captured. */
function isDue(wait: Wait): boolean {
  return isFor(wait, "done") && !wait.request.patient && !wait.inTime;
}

function answerDue(s: State, state: Publishing): void {
  // What waits for room may still have to be refused, and what a start found, or a
  // refused Done has left, may not be what is there until it has been looked at.
  if (!state.taken || state.taken.found || state.short) return;
  for (const wait of state.joined) {
    if (!isDue(wait) || !wait.live) continue;
    state.taken.acknowledged = true;
    s.reply(wait, { kind: "ok" });
  }
}

function noPath(id: string): LarderError {
  const message = `Cannot publish assignment ${id}: it was made by ` +
    "RemoteCache and has no path; publish it with RemoteCache.Set";
  return new LarderError("no-file", message);
}

/** What the client is told whose value finds no room. */
export function noRoom(id: string, shortage?: Shortage): LarderError {
  const { never = false, text = "there is no room" } = shortage ?? {};
  const message = `Cannot publish assignment ${id}: ${text}; use the value ` +
    `without caching it${never ? "" : ", or try again later"}`;
  return new LarderError("storage-full", message);
}

function noFile(id: string): LarderError {
  const message = `Cannot publish assignment ${id}: its file did not survive ` +
    "a power cut; compute it again, then call Done again";
  return new LarderError("no-file", message);
}
