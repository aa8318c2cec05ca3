/**
 * Folders, made one by one.
 *
 * @module
 */

import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Makes a folder, and those above it that are missing. (Node 20's own way never
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
    return true;
  } catch (error) {
    const { code } = error as { code?: string };
    // Somebody may have been faster.
    if (code === "EEXIST") return true;
    if (code !== "ENOENT" || dirname(path) === path) throw error;
    return false;
  }
}
