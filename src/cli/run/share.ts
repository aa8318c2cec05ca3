/**
 * Runs that use the same places at the same time: what they write is kept of
 * none.
 *
 * @module
 */

import { basename, dirname } from "node:path";
import { Ahead, type Aim, aimOf, tellAhead } from "./ahead.ts";
import { LOCK, namesOf } from "./aside_names.ts";
import { DISK } from "./disk.ts";
import { isOthers, whoHas } from "./lock_users.ts";
import { thisOwner } from "./owner.ts";
import type { Out } from "./outs.ts";
import { giveBack, lineOf, takeLock } from "./place_lock.ts";
import { leavesOf } from "./tree.ts";

/**
 * Tells whoever uses some places, or a folder around them, that somebody else
 * writes there now. Never fails: it is a courtesy to the others.
 *
 * @param aims The places, where they are no single files.
 */
export async function share(
  places: Iterable<string>,
  aims?: Iterable<Aim>,
): Promise<void> {
  const given = [...places];
  for (const each of withFolders(given)) await tell(each);
  await tellAhead(aims ?? given.map((place) => ({ place })));
}

/**
 * Who else uses a folder around some places; `undefined`: nobody, or a run whose
 * command we are a part of.
 */
export async function userAround(
  places: Iterable<string>,
): Promise<string | undefined> {
  const folders = Array.from(places, (place) => dirname(place));
  return await userAmong(withFolders(folders));
}

/** So many runs at a place without having it can be seen by who comes later. */
const MAX_GUESTS = 4;

/**
 * A run that writes to places which it has not: whoever has them is told, and
 * whoever comes meanwhile sees it.
 */
export class Guest implements AsyncDisposable {
  /** Its marks, and what they say. */
  readonly #marks = new Map<string, string>();
  #ahead: Ahead | undefined;

  private constructor() {}

  /** Never fails: it is a courtesy to the others. */
  static async at(outs: readonly Out[]): Promise<Guest> {
    const guest = new Guest();
    const places = outs.map(({ place }) => place);
    const aims = outs.map(aimOf);
    for (const place of places) await guest.#mark(place);
    guest.#ahead = await Ahead.at(aims);
    // After that: of two who come at the same time, one sees the other.
    await share(places, aims);
    return guest;
  }

  async #mark(place: string): Promise<void> {
    for (const mark of marksAt(place)) {
      const { lock } = namesOf(mark);
      const line = `${await thisOwner()} ${basename(mark)}`;
      try {
        if (await takeLock(lock, line, DISK) !== undefined) continue;
        this.#marks.set(lock, line);
      } catch {
        // Nobody can write there: its command neither.
      }
      return;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const [lock, line] of this.#marks) {
      await giveBack(lock, line, DISK).catch(() => {});
    }
    await this.#ahead?.[Symbol.asyncDispose]();
  }
}

/** Who writes to some places, or a folder around them, without having them. */
export async function guestAt(
  places: Iterable<string>,
): Promise<string | undefined> {
  for (const place of withFolders(places)) {
    const user = await userAmong(marksAt(place));
    if (user !== undefined) return user;
  }
  return undefined;
}

/** Marks are locks of places beside the one that they are about. */
function* marksAt(place: string): Generator<string> {
  for (let at = 1; at <= MAX_GUESTS; at++) yield `${place}.guest-${at}`;
}

/** Who else has one of some places; `undefined`: nobody. */
async function userAmong(
  places: Iterable<string>,
): Promise<string | undefined> {
  for (const place of places) {
    const { lock } = namesOf(place);
    const line = await lineOf(lock).catch(() => undefined);
    if (line !== undefined && await isOthers(line, dirname(lock))) {
      return await whoHas(lock, line);
    }
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
    if (await isOthers(target, dirname(lock))) {
      return await whoHas(lock, target);
    }
  }
  return undefined;
}

async function tell(place: string): Promise<void> {
  const { lock, shared } = namesOf(place);
  try {
    const other = await lineOf(lock);
    if (other === undefined || !await isOthers(other, dirname(lock))) return;
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
