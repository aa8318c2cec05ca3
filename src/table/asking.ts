/**
 * Asking the manifest about an entry that is not in memory.
 *
 * @module
 */

import { awaitNext } from "./patience.ts";
import type { Entry, GetWait, State, Wait } from "./state.ts";
import type { Assignment, EntryKey } from "./types.ts";

/** An entry of which only the manifest knows something, if anything. */
export function newEntry(s: State, key: EntryKey): Entry {
  const state = { kind: "asking", token: 0 } as const;
  const entry: Entry = { key, state, waits: [], patient: undefined };
  s.entries.set(key.name, entry);
  s.keyBytes += key.key.length;
  return entry;
}

/** The entry of a row; the row's key is a view into a whole page of them. */
export function entryOfRow(s: State, row: EntryKey): Entry {
  const { name, namespace } = row;
  return newEntry(s, { name, namespace, key: new Uint8Array(row.key) });
}

/** Asks the manifest; where it has nothing, the first who wants it gets the entry. */
export function ask(s: State, entry: Entry, wait?: Wait): void {
  if (wait) entry.waits.push(wait);
  const token = s.nextToken();
  const { key } = entry;
  const proposed = propose(s, entry);
  if (proposed) {
    entry.state = { kind: "asking", token, proposed };
    s.emit({ kind: "claim", entry: key, token, assignment: proposed });
  } else {
    entry.state = { kind: "asking", token };
    s.emit({ kind: "find", entry: key, token });
  }
}

/** An assignment for the first who wants one, if there can be one. */
export function propose(s: State, entry: Entry): Assignment | undefined {
  const wait = entry.waits.find((wait): wait is GetWait => mayHave(s, wait));
  const { namespace } = entry.key;
  if (!wait || s.whyNot(namespace) !== undefined) return undefined;
  const id = s.options.newId();
  s.proposals++;
  s.room.reserve(id, namespace);
  const { api, ttlMs, by } = wait.request;
  s.work.add(id, by);
  const more = {
    ...ttlMs !== undefined && { ttlMs },
    ...by !== undefined && { owner: by },
  };
  return api === "local"
    ? { id, staging: s.options.newStaging(), ...more }
    : { id, ...more };
}

/** Whether a wait asks for work; `kind`: for an assignment of that kind. */
export function wants(wait: Wait, kind?: Assignment): wait is GetWait {
  const { live, request } = wait;
  return live && request.kind === "get" && request.assign &&
    (!kind || ((request.api === "local") === (kind.staging !== undefined) &&
      request.ttlMs === kind.ttlMs && request.by === kind.owner));
}

/** Whether a wait asks for work, and is not over the limit of its caller. */
export function mayHave(s: State, wait: Wait): wait is GetWait {
  return wants(wait) && s.overWork(wait.request) === undefined;
}

/**
 * Nothing is assigned now, and the client is not to wait for it; but for room
 * that is being made, until its time is over, and for a stop, if it is patient.
 */
export function refuse(s: State, wait: GetWait): void {
  const { entry: { namespace }, patient } = wait.request;
  const detail = s.draining ? undefined : s.overWork(wait.request);
  if (detail !== undefined) {
    const reason = "caller-assignments";
    return s.reply(wait, { kind: "unassigned", reason, detail });
  }
  // What was missing may be there by now: then it is the next one's.
  const reason = s.whyNot(namespace) ?? "full";
  if (reason === "stopping" && patient) return awaitNext(s, wait);
  if (reason !== "no-room") {
    return s.reply(wait, { kind: "unassigned", reason });
  }
  if (wait.inTime && s.isHelped(namespace)) {
    return s.wantRoom(namespace, wait);
  }
  const { text = "" } = s.room.shortage(namespace) ?? {};
  s.reply(wait, { kind: "unassigned", reason, detail: text });
}
