/**
 * Locks that outlive nobody: links whose target says who has them. Making a link
 * is atomic, also on network file systems, and Node has no other lock.
 *
 * @module
 */

import { lstat, readlink, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { sha256Hex } from "../../../workers/digest.ts";
import { type Disk, isErrno } from "./disk.ts";
import { isOver } from "./survivors.ts";

/** What the names of locks for taking over begin with. */
export const TAKING = ".larder-take-";
const NAME_DIGITS = 16;
const WRITABLE_BY_ALL = 0o002;

/**
 * Takes a lock; one of a run that is over is taken over.
 *
 * @param path Where the link is made.
 * @param line What it says: the owner, and whatever else.
 * @returns `undefined`: it is taken. Else the line of who has it.
 * @throws The link cannot be made.
 */
export async function takeLock(
  path: string,
  line: string,
  disk: Disk,
): Promise<string | undefined> {
  for (;;) {
    try {
      await disk.symlink(line, path);
      return undefined;
    } catch (error) {
      if (!isErrno(error, "EEXIST")) throw error;
    }
    const other = await lineOf(path);
    if (other === undefined) continue;
    if (!await isOver(other, dirname(path)) || !await isTrusted(path)) {
      return other;
    }
    // Only who has this second lock, which is named after the dead one, may
    // replace the dead one's: else two could, and the later one would replace
    // the lock that the earlier one has just made.
    const taking = join(dirname(path), `${TAKING}${idOf(path, other)}`);
    const busy = await takeLock(taking, line, disk);
    if (busy !== undefined) return busy;
    if (await lineOf(path) === other) {
      await disk.rename(taking, path);
      return undefined;
    }
    await disk.unlink(taking);
  }
}

/**
 * Whether something that lies in a folder is our own, or could only have been
 * put there by somebody whom the folder's owner trusts: in `/tmp` a stranger's
 * lock would have us move files.
 */
export async function isTrusted(path: string): Promise<boolean> {
  const [info, folder] = await Promise.all([lstat(path), stat(dirname(path))])
    .catch(() => []);
  if (!info || !folder) return false;
  return info.uid === process.getuid?.() ||
    (folder.mode & WRITABLE_BY_ALL) === 0;
}

/** Gives a lock back, if it is the one that says `line`. */
export async function giveBack(
  path: string,
  line: string,
  disk: Disk,
): Promise<void> {
  if (await lineOf(path) === line) await disk.unlink(path);
}

/** What a lock says; `undefined`: there is none. */
export async function lineOf(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
    // A file of that name: nobody's that we know of.
    if (isErrno(error, "EINVAL")) return "";
    throw error;
  }
}

function idOf(path: string, line: string): string {
  return sha256Hex(`${basename(path)} ${line}`).slice(0, NAME_DIGITS);
}
