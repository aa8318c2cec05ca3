/**
 * What was in a folder before a command made another one there: what runs had
 * put there goes, and the rest is moved into the new one.
 *
 * @module
 */

import { chmod, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolder } from "../make_folder.ts";
import type { Names } from "./aside_names.ts";
import { type Disk, isErrno } from "./disk.ts";
import { markOf, readMarks } from "./record.ts";
import { leafAt, leavesOf } from "./tree.ts";

/** What makes a folder one whose files can be moved. */
const OWNER_BITS = 0o700n;

/**
 * Moves what no run has put there into the new folder. Whoever dies meanwhile
 * loses nothing: the next one goes on.
 *
 * @param names Where the old one is; and where that goes which cannot be moved,
 * since a file has taken the place of its folder.
 * @param place The new folder.
 * @param disk The disk.
 * @returns What was moved.
 */
export async function mergeLeft(
  { left, partial }: Names,
  place: string,
  disk: Disk,
): Promise<readonly string[]> {
  const marks = await readMarks(place);
  const stayed: string[] = [];
  const folders: string[] = [];
  for await (const { below, info } of leavesOf(left)) {
    const from = `${left}/${below}`;
    const to = `${place}/${below}`;
    if (info.isDirectory()) {
      folders.push(from);
      if ((info.mode & OWNER_BITS) !== OWNER_BITS) {
        await chmod(from, Number((info.mode & 0o777n) | OWNER_BITS));
      }
    } else if (marks.get(below) === markOf(info)) {
      await disk.unlink(from);
    } else if (!hasFolders(place, dirname(below))) {
      // It becomes a part of the partial one, as in its folder's place is a
      // file now, or a link that leads elsewhere.
      continue;
    } else if (leafAt(place, below)) {
      await disk.unlink(from);
    } else {
      await makeFolder(dirname(to));
      await disk.rename(from, to);
      stayed.push(below);
    }
  }
  try {
    for (const folder of folders.reverse()) await disk.rmdir(folder);
    await disk.rmdir(left);
  } catch (error) {
    if (!isErrno(error, "ENOTEMPTY", "EEXIST")) throw error;
    await rm(partial, { recursive: true, force: true });
    await disk.rename(left, partial);
  }
  return stayed;
}

/** Whether folders are, or can be made, all the way to one below a place. */
function hasFolders(place: string, below: string): boolean {
  for (let at = below; at !== "."; at = dirname(at)) {
    const leaf = leafAt(place, at);
    if (leaf && !leaf.info.isDirectory()) return false;
  }
  return true;
}
