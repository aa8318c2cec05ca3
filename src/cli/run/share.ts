/**
 * Runs that use the same places at the same time: what they write is kept of
 * none.
 *
 * @module
 */

import { dirname } from "node:path";
import { LOCK, namesOf } from "./aside_names.ts";
import { DISK } from "./disk.ts";
import { isAround, isDead, ownerOf, thisOwner } from "./owner.ts";
import { giveBack, lineOf } from "./place_lock.ts";
import { leavesOf } from "./tree.ts";

/**
 * Tells whoever uses a place, or a folder around it, that somebody else writes
 * there now. Never fails: it is a courtesy to the other.
 */
export async function share(place: string): Promise<void> {
  for (let at = place; dirname(at) !== at; at = dirname(at)) await tell(at);
}

/**
 * Who else uses a folder around a place; `undefined`: nobody, or a run whose
 * command we are a part of.
 */
export async function userAround(place: string): Promise<string | undefined> {
  for (let at = dirname(place); dirname(at) !== at; at = dirname(at)) {
    const { lock } = namesOf(at);
    const line = await lineOf(lock).catch(() => undefined);
    if (line !== undefined && await isOthers(line)) return whoHas(lock, line);
  }
  return undefined;
}

/** Who else uses a place in a folder; `undefined`: nobody. */
export async function userInside(folder: string): Promise<string | undefined> {
  for await (const { below, target } of leavesOf(folder)) {
    if (target === undefined || !below.endsWith(LOCK)) continue;
    const lock = `${folder}/${below}`;
    if (await isOthers(target)) return whoHas(lock, target);
  }
  return undefined;
}

/** Says who has a lock. */
export function whoHas(lock: string, line: string): string {
  const { pid, host } = ownerOf(line);
  return line === ""
    ? `${lock} is in the way`
    : `larder run with process number ${pid} on ${host} uses it ` +
      `(if that is gone, remove ${lock})`;
}

/** Whether a line is that of a live run which has not started this one. */
async function isOthers(line: string): Promise<boolean> {
  const isOwn = line.startsWith(`${await thisOwner()} `);
  return !isOwn && !await isDead(line) && !await isAround(line);
}

async function tell(place: string): Promise<void> {
  const { lock, shared } = namesOf(place);
  try {
    const other = await lineOf(lock);
    if (other === undefined || !await isOthers(other)) return;
    const told = await lineOf(shared);
    if (told === other) return;
    // One who has let go of the place since.
    if (told !== undefined) await DISK.unlink(shared);
    await DISK.symlink(other, shared);
    if (await lineOf(lock) !== other) await giveBack(shared, other, DISK);
  } catch {
    // Another one tells it at the same time, or it cannot be told.
  }
}
