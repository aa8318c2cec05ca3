/**
 * Removes what is not wanted, whoever made it.
 *
 * A folder may be another user's, and as deep as they like: removing it by
 * descending ends the process, for the calls nest, and a path has an end. So
 * what lies in a folder comes out of it first, and no folder is entered deeper
 * than one.
 *
 * @module
 */

import { isHuge, lookAt, OpError, systemCode } from "./blob_files.ts";
import { type Steps, wait } from "./blob_steps.ts";
import type { FileInfo, FileSystem } from "./file_system.ts";

/** Where things come out to. */
export interface Trash {
  readonly fs: FileSystem;
  /** Who our own files belong to. */
  readonly uid: number | null;
  /** A path in a folder of our own where nothing lies; what does is removed at a start. */
  temporary(): string;
}

/** Larger files are not removed at once: 64 MiB take ext4 some 5 ms. */
const SLOW_UNLINK_BYTES = 64 * 1024 * 1024;
/** What a name becomes that is not UTF-8: such a file cannot be named here. */
const NO_UTF8 = "\ufffd";
/** Links of a folder in which there are no others: its name, and its `.`. */
const LINKS_OF_FLAT = 2;

/**
 * Removes whatever lies at a path, following nothing.
 *
 * @returns Whether there was something.
 */
export function* removeAny(trash: Trash, path: string): Steps<boolean> {
  const info = lookAt(trash.fs, path);
  if (!info && path.includes(NO_UTF8)) {
    throw new OpError("failed", `'${path}' is not UTF-8: remove it by hand`);
  }
  if (!info) return false;
  try {
    if (info.isDirectory) yield* removeFolder(trash, path, info);
    else if (info.size > SLOW_UNLINK_BYTES) {
      yield* wait(trash.fs.removeLarge(path));
    } else trash.fs.remove(path);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
  return true;
}

function* removeFolder(
  trash: Trash,
  path: string,
  found: FileInfo,
): Steps<void> {
  const { fs } = trash;
  // One that is empty may be another user's, and unreadable.
  if (isGone(fs, path)) return;
  const left = [{ path, info: found }];
  for (let next; (next = left.pop());) {
    const { path, info } = next;
    // Nobody else can put a folder into one of ours meanwhile.
    if (info.uid === trash.uid && info.nlink === LINKS_OF_FLAT) {
      yield* wait(fs.removeFlat(path));
      continue;
    }
    if (isHuge(fs, path)) {
      throw new OpError(
        "failed",
        `'${path}' holds too many names to be removed: remove it by hand`,
      );
    }
    for (const { name, isDirectory } of yield* wait(fs.list(path))) {
      const inner = `${path}/${name}`;
      const aside = isDirectory ? takeOut(trash, inner) : undefined;
      if (aside !== undefined) {
        left.push({ path: aside, info: fs.lstat(aside) });
      } else if (!isDirectory) yield* removeAny(trash, inner);
      yield;
    }
    fs.remove(path);
  }
}

/** Takes a folder out of the one it lies in, unless it was empty, and is gone. */
function takeOut(trash: Trash, path: string): string | undefined {
  if (isGone(trash.fs, path)) return undefined;
  const aside = trash.temporary();
  trash.fs.rename(path, aside);
  return aside;
}

/** Removes a folder that is empty. */
function isGone(fs: FileSystem, path: string): boolean {
  try {
    fs.remove(path);
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
    return false;
  }
}
