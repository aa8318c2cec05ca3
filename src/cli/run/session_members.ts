/**
 * The processes of a session, as far as the system tells of them.
 *
 * @module
 */

import { readdirSync, readFileSync } from "node:fs";
import { type ProcessState, stateIn } from "./owner.ts";

/**
 * Those that have not ended, by their process numbers. All processes are looked
 * at, and each at once: to wait for each of hundreds of small files takes several
 * times as long as to read them.
 */
export function membersOf(session: string): ReadonlyMap<string, ProcessState> {
  const members = new Map<string, ProcessState>();
  for (const pid of listed("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const stat = textOf(`/proc/${pid}/stat`);
    if (stat === "") continue;
    const state = stateIn(stat);
    if (state.session === session && state.runs) members.set(pid, state);
  }
  return members;
}

/** What is in a folder of `/proc`; processes end while one looks, and some are another user's. */
export function listed(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** What a file of `/proc` says; nothing, where that is not told. */
export function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
