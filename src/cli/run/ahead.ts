/**
 * Places beside which no lock can lie: their folder is not there yet, or it is
 * not known which files they will be, of a pattern. A mark in the nearest folder
 * that is there says who is going to write to them.
 *
 * @module
 */

import { lstat, readdir } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { AHEAD, placeIn } from "./aside_names.ts";
import { DISK, isErrno } from "./disk.ts";
import { isOthers, whoHas } from "./lock_users.ts";
import type { Out } from "./outs.ts";
import { thisOwner } from "./owner.ts";
import { Pattern } from "./pattern.ts";
import { lineOf } from "./place_lock.ts";
import { isOver } from "./survivors.ts";
import { foldersFor } from "./tree.ts";

/** How the name of a mark ends where its run is told of another one. */
const SHARED = "-shared";

/** How the name of a mark ends that is about the files of a pattern. */
const OF_PATTERN = "-pattern";
/** What a pattern's folder may have in its name, and a pattern means otherwise. */
const MAGIC = /[*?[{\\]/g;

/** Stands for the files of a pattern where a place is asked for. */
const ANY = "x";

/** What somebody is going to write to. */
export interface Aim {
  /** A file, a folder, or what stands for the files of a pattern. */
  readonly place: string;
  /** Whether all in it is meant. */
  readonly isFolder?: boolean;
  /** The files of a pattern, and the folder from which on they are named. */
  readonly files?: { readonly base: string; readonly pattern: Pattern };
}

/** What a run with an out is going to write to. */
export function aimOf(out: Out): Aim {
  const { kind, pattern, place } = out;
  return {
    place: pattern ? join(place, ANY) : place,
    isFolder: kind === "folder",
    ...pattern && { files: { base: place, pattern } },
  };
}

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

  /** Marks those that no lock can tell of. Never fails. */
  static async at(aims: Iterable<Aim>): Promise<Ahead> {
    const ahead = new Ahead();
    for (const aim of aims) {
      try {
        await ahead.#mark(aim);
      } catch {
        // Nobody can write there: its command neither.
      }
    }
    return ahead;
  }

  async #mark({ place, isFolder, files }: Aim): Promise<void> {
    if (!files && await isThere(dirname(place))) return;
    let folder = dirname(place);
    while (!await isThere(folder)) folder = dirname(folder);
    const below = files
      ? join(
        relative(folder, files.base).replaceAll(MAGIC, "\\$&"),
        files.pattern.rest,
      )
      : `${relative(folder, place)}${isFolder ? "/" : ""}`;
    const line = `${await thisOwner()} ${below}`;
    const name = `${AHEAD}${crypto.randomUUID()}${files ? OF_PATTERN : ""}`;
    const path = join(folder, name);
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
  aims: Iterable<Aim>,
): Promise<string | undefined> {
  for await (const { path, line } of marksOf(aims)) return whoHas(path, line);
  return undefined;
}

/** Tells whoever has marked some places that somebody else writes there now. */
export async function tellAhead(aims: Iterable<Aim>): Promise<void> {
  for await (const { path, line } of marksOf(aims)) {
    await DISK.symlink(line, path + SHARED).catch(() => {});
  }
}

/** The marks of others that are about some places. */
async function* marksOf(aims: Iterable<Aim>): AsyncGenerator<Mark> {
  const wanted = [...aims];
  const own = `${await thisOwner()} `;
  for (const folder of foldersAbove(wanted)) {
    for (const name of await readdir(folder).catch(() => [])) {
      if (!name.startsWith(AHEAD) || name.endsWith(SHARED)) continue;
      const path = join(folder, name);
      const line = await lineOf(path).catch(() => undefined);
      // Thousands of outs have as many marks of this run's own.
      if (line === undefined || line.startsWith(own)) continue;
      const marked = aimIn(folder, name, placeIn(line));
      if (!wanted.some((aim) => overlap(aim, marked))) continue;
      if (await isOthers(line, folder)) yield { path, line };
      else if (await isOver(line, folder)) await remove(path);
    }
  }
}

/**
 * The folders in which marks can be: all above the places, nearest first, and
 * those in which files of a pattern can be.
 */
function foldersAbove(aims: readonly Aim[]): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const { place, files } of aims) {
    for (let at = dirname(place); !folders.has(at); at = dirname(at)) {
      folders.add(at);
    }
    if (!files) continue;
    for (const each of foldersFor(files.base, files.pattern)) folders.add(each);
  }
  return folders;
}

/** What a mark in a folder is about. */
function aimIn(folder: string, name: string, below: string): Aim {
  const place = join(folder, below).replace(/\/$/, "");
  const pattern = name.endsWith(OF_PATTERN) ? Pattern.of(below) : undefined;
  if (!pattern) return { place, isFolder: below.endsWith("/") };
  const base = join(folder, pattern.base);
  return { place: join(base, ANY), files: { base, pattern } };
}

function overlap(a: Aim, b: Aim): boolean {
  if (a.files && !b.files) return isAmong(b, a.files);
  if (b.files && !a.files) return isAmong(a, b.files);
  // What different patterns have in common is told by the files, once they are
  // there: before that nobody knows.
  if (a.files && b.files) {
    return a.files.base === b.files.base &&
      a.files.pattern.rest === b.files.pattern.rest;
  }
  const { place } = b;
  return a.place === place || a.place.startsWith(`${place}/`) ||
    place.startsWith(`${a.place}/`);
}

/** Whether a file or folder is, or may hold, one of those of a pattern. */
function isAmong(
  { place, isFolder = false }: Aim,
  { base, pattern }: NonNullable<Aim["files"]>,
): boolean {
  if (place === base || base.startsWith(`${place}/`)) return isFolder;
  if (!place.startsWith(base === "/" ? base : `${base}/`)) return false;
  const below = relative(base, place);
  return pattern.matches(below) || (isFolder && pattern.leadsInto(below));
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
