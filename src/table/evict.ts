/**
 * Requests to take something away: an entry, or a file that no row owns.
 *
 * @module
 */

import { LarderError } from "../errors.ts";
import { formatEntry } from "../key_text.ts";
import { ask, newEntry } from "./asking.ts";
import { startEvicting } from "./evicting.ts";
import { isOver } from "./expiry.ts";
import { removeExpired } from "./get.ts";
import { type EntryState, isFailing, type State, type Wait } from "./state.ts";
import type { RequestOf } from "./types.ts";

/**
 * Takes a ready entry away; refused while somebody computes or reads it, and
 * in a stop: one that begins after the drain may be cut short, and the original
 * server panics over the row that is left.
 */
export function evict(s: State, wait: Wait<RequestOf<"evict">>): void {
  const { entry: key, sha256, over } = wait.request;
  const entry = s.entries.get(key.name);
  if (s.draining && entry?.state.kind !== "evicting") {
    const message = `Cannot remove ${formatEntry(key)}: the server is stopping`;
    const error = new LarderError("stopping", message);
    return s.reply(wait, { kind: "error", error });
  }
  if (!entry) return ask(s, newEntry(s, key), wait);
  const { state } = entry;
  if (sha256 !== undefined && isAnother(state, sha256)) {
    return s.reply(wait, { kind: "absent" });
  }
  if (over && isNotOver(state, s.nowMs)) {
    return s.reply(wait, { kind: "absent" });
  }
  if (removeExpired(s, entry, wait)) return;
  const busy = state.kind === "loading" || state.kind === "publishing" ||
    (state.kind === "ready" && state.pins > 0);
  if (busy) {
    const why = whyBusy(state);
    const message = `Cannot remove ${
      formatEntry(key)
    }: ${why}; try again later`;
    const error = new LarderError("in-use", message);
    return s.reply(wait, { kind: "error", error });
  }
  const idle = state.kind === "ready" && state.reading === undefined &&
    state.verifying === undefined;
  if (idle) {
    startEvicting(s, entry, { damaged: false, rowId: state.rowId, over });
  }
  entry.waits.push(wait);
}

/** For people. */
function whyBusy(state: EntryState): string {
  if (state.kind === "ready") return "it is being read";
  const { taken } = state.kind === "loading" || state.kind === "publishing"
    ? state
    : {};
  return isFailing(taken)
    ? "it was accepted, and cannot be written now"
    : "it is being computed";
}

/** Whether an entry has, or is going to have, another value than this one. */
function isAnother(state: EntryState, sha256: string): boolean {
  switch (state.kind) {
    case "loading":
    case "publishing":
      return true;
    case "ready":
      // A digest that is not known has been told to nobody.
      return state.digest?.sha256 !== sha256;
    default:
      return false;
  }
}

/** Whether an entry has, or is going to have, a value whose time is not over. */
function isNotOver(state: EntryState, nowMs: number): boolean {
  return state.kind === "loading" || state.kind === "publishing" ||
    (state.kind === "ready" && !isOver(state, nowMs));
}

/** Deletes a file that no row owns; its name is blocked meanwhile. */
export function sweep(s: State, wait: Wait<RequestOf<"sweep">>): void {
  const { name } = wait.request;
  if (s.entries.has(name)) return s.reply(wait, { kind: "loading" });
  const namespace = name.slice(0, name.lastIndexOf("/"));
  const key = { name, namespace, key: new Uint8Array() };
  const entry = newEntry(s, key);
  const token = s.nextToken();
  entry.state = { kind: "evicting", token };
  entry.waits.push(wait);
  s.emit({ kind: "sweep", name, token });
}
