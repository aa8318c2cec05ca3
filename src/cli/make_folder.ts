/**
 * Folders, made one by one.
 *
 * @module
 */

import { chmodSync, lstatSync } from "node:fs";
import { chmod, lstat, mkdir } from "node:fs/promises";
import { dirname } from "node:path";

/** What the user needs in a folder to work in it. */
const OWNER_BITS = 0o700;

/**
 * Makes a folder, and those above it that are missing; its user can work in
 * them whatever the umask is, as with `mkdir -p`. (Node 20's own way never
 * comes back from a place such as `/proc/none`, where nothing can be made.)
 */
export async function makeFolder(path: string, mode?: number): Promise<void> {
  if (await makeOne(path, mode)) return;
  await makeFolder(dirname(path), mode);
  if (!await makeOne(path, mode)) throw new Error(`cannot make ${path}`);
}

/** False where the folder above it is missing. */
async function makeOne(path: string, mode?: number): Promise<boolean> {
  try {
    await mkdir(path, { mode });
    await openFolder(path);
    return true;
  } catch (error) {
    const { code } = error as { code?: string };
    // Somebody may have been faster.
    if (code === "EEXIST") return true;
    if (code !== "ENOENT" || dirname(path) === path) throw error;
    return false;
  }
}

/** Set on a folder: what is made in it belongs to its group. */
const SET_GROUP = 0o2000;
const MODE_BITS = 0o7777;

/**
 * Gives a folder its permissions, whatever the umask was. It stays one of its
 * group, if the folder that it was made in has made it that: where people share
 * a folder, the others have to be able to work in it.
 */
export function permit(folder: string, mode: number): void {
  const now = lstatSync(folder).mode & MODE_BITS;
  const wanted = mode | now & SET_GROUP;
  // Only its owner may change it; one that is as it should be may be another's.
  if (now !== wanted) chmodSync(folder, wanted);
}

/** Lets its user work in a folder. */
export async function openFolder(path: string): Promise<void> {
  const { mode } = await lstat(path);
  if ((mode & OWNER_BITS) !== OWNER_BITS) await chmod(path, mode | OWNER_BITS);
}
