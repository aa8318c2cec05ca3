/**
 * An entry on its way out: to make room, because its bytes are damaged, its time
 * is over, or somebody wants it away.
 *
 * @module
 */

import type { Entry, State } from "./state.ts";
import type { Id, Result } from "./types.ts";

/** Persists Evicting, removes the file, removes the row: one effect. */
export function startEvicting(
  s: State,
  entry: Entry,
  { damaged, rowId, over }: {
    damaged: boolean;
    rowId: Id | undefined;
    /** Its time is over: whoever wants the work waits for it. */
    over?: true | undefined;
  },
): void {
  if (damaged) unpinAll(s, entry.key.name);
  if (entry.state.kind === "ready") {
    const { namespace, name } = entry.key;
    s.room.leave(name, { namespace, bytes: entry.state.digest?.size ?? 0 });
  }
  const token = s.nextToken();
  entry.state = { kind: "evicting", token, ...(over ? { over } : {}) };
  s.resting.delete(entry.key.name);
  const id = rowId === undefined ? {} : { id: rowId };
  s.emit({ kind: "evict", entry: entry.key, token, ...id, damaged });
}

/**
 * Handles on damaged bytes pin nothing any more; their Drop is still OK. Damage
 * is rare enough to look at all handles.
 */
function unpinAll(s: State, name: string): void {
  for (const handle of s.handles.values()) {
    if (handle.name === name) handle.generation = "";
  }
}

/** The entry is gone, or the manifest keeps what is left to be done. */
export function evicted(
  s: State,
  entry: Entry,
  result: Result & { kind: "evicted" },
): void {
  const { state } = entry;
  if (state.kind !== "evicting" || state.token !== result.token) return;
  const { waits } = entry;
  const { error, stays = false } = result;
  entry.waits = [];
  s.room.left(entry.key.name, { stays });
  s.forget(entry);
  for (const wait of waits) {
    const { kind } = wait.request;
    if (kind === "evict" || kind === "sweep") {
      s.reply(wait, error ? { kind: "error", error } : { kind: "ok" });
    } else if (kind === "get" && error) {
      s.reply(wait, { kind: "unassigned", reason: "failed" });
    } else {
      s.again.push(wait);
    }
  }
}
