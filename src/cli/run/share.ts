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
 * Tells whoever uses some places, or a folder around them, that somebody else
 * writes there now. Never fails: it is a courtesy to the others.
 */
export async function share(places: Iterable<string>): Promise<void> {
  for (const each of withFolders(places)) await tell(each);
}

/**
 * Who else uses a folder around some places; `undefined`: nobody, or a run whose
 * command we are a part of.
 */
export async function userAround(
  places: Iterable<string>,
): Promise<string | undefined> {
  const folders = Array.from(places, (place) => dirname(place));
  for (const each of withFolders(folders)) {
    const { lock } = namesOf(each);
    const line = await lineOf(lock).catch(() => undefined);
    if (line !== undefined && await isOthers(line)) return whoHas(lock, line);
  }
  return undefined;
}

/** Places and the folders around them, each once. */
function withFolders(places: Iterable<string>): ReadonlySet<string> {
  const found = new Set<string>();
  for (const place of places) {
    for (let at = place; dirname(at) !== at && !found.has(at);) {
      found.add(at);
      at = dirname(at);
    }
  }
  return found;
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
