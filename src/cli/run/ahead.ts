/**
 * Places whose folder is not there yet, so that no lock can lie beside them: a
 * mark in the nearest folder that is there says who is going to write to them.
 *
 * @module
 */

import { lstat, readdir } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { AHEAD, placeIn } from "./aside_names.ts";
import { DISK, isErrno } from "./disk.ts";
import { isOthers, whoHas } from "./lock_users.ts";
import { thisOwner } from "./owner.ts";
import { lineOf } from "./place_lock.ts";
import { isOver } from "./survivors.ts";

/** How the name of a mark ends where its run is told of another one. */
const SHARED = "-shared";

/** Somebody else's mark. */
interface Mark {
  readonly path: string;
  readonly line: string;
}

/**
 * The marks of a run. It makes them before it looks for others: of two who come
 * at the same time, one sees the other.
 */
export class Ahead implements AsyncDisposable {
  /** What they say, by their paths. */
  readonly #marks = new Map<string, string>();

  private constructor() {}

  /** Marks those places whose folders are missing. Never fails. */
  static async at(places: Iterable<string>): Promise<Ahead> {
    const ahead = new Ahead();
    for (const place of places) {
      try {
        await ahead.#mark(place);
      } catch {
        // Nobody can write there: its command neither.
      }
    }
    return ahead;
  }

  async #mark(place: string): Promise<void> {
    if (await isThere(dirname(place))) return;
    let folder = dirname(place);
    while (!await isThere(folder)) folder = dirname(folder);
    const line = `${await thisOwner()} ${relative(folder, place)}`;
    const path = join(folder, `${AHEAD}${crypto.randomUUID()}`);
    await DISK.symlink(line, path);
    this.#marks.set(path, line);
  }

  /** Whether nobody else has written to the places, as far as others tell. */
  async isOurs(): Promise<boolean> {
    for (const path of this.#marks.keys()) {
      if (await lineOf(path + SHARED) !== undefined) return false;
    }
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const path of this.#marks.keys()) await remove(path);
  }
}

/** Who else is going to write to some places, or around or in one of them. */
export async function userAhead(
  places: Iterable<string>,
): Promise<string | undefined> {
  for await (const { path, line } of marksOf(places)) return whoHas(path, line);
  return undefined;
}

/** Tells whoever has marked some places that somebody else writes there now. */
export async function tellAhead(places: Iterable<string>): Promise<void> {
  for await (const { path, line } of marksOf(places)) {
    await DISK.symlink(line, path + SHARED).catch(() => {});
  }
}

/** The marks of others that are about some places. */
async function* marksOf(places: Iterable<string>): AsyncGenerator<Mark> {
  const wanted = [...places];
  const own = `${await thisOwner()} `;
  for (const folder of foldersAbove(wanted)) {
    for (const name of await readdir(folder).catch(() => [])) {
      if (!name.startsWith(AHEAD) || name.endsWith(SHARED)) continue;
      const path = join(folder, name);
      const line = await lineOf(path).catch(() => undefined);
      // Thousands of outs have as many marks of this run's own.
      if (line === undefined || line.startsWith(own)) continue;
      const marked = join(folder, placeIn(line));
      if (!wanted.some((place) => overlap(place, marked))) continue;
      if (await isOthers(line, folder)) yield { path, line };
      else if (await isOver(line, folder)) await remove(path);
    }
  }
}

/** The folders in which marks can be: all above the places, nearest first. */
function foldersAbove(places: readonly string[]): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const place of places) {
    for (let at = dirname(place); !folders.has(at); at = dirname(at)) {
      folders.add(at);
    }
  }
  return folders;
}

function overlap(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return false;
    throw error;
  }
}

async function remove(path: string): Promise<void> {
  await DISK.unlink(path).catch(() => {});
  await DISK.unlink(path + SHARED).catch(() => {});
}
