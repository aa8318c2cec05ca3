/**
 * Files that are there whole, or not at all.
 *
 * @module
 */

import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/** A name beside a file that no other process picks. */
export function temporaryName(path: string): string {
  return `${path}.larder-${crypto.randomUUID()}`;
}

/**
 * Writes the pieces of a new file.
 *
 * @param path Where; it must not be there.
 * @param pieces What it will hold.
 * @param mode Who may do what with it: the permission bits.
 */
export async function writeNewFile(
  path: string,
  pieces: AsyncIterable<Uint8Array>,
  mode: number = 0o666,
): Promise<void> {
  const file = await open(path, "wx", mode);
  try {
    for await (const piece of pieces) await file.writeFile(piece);
  } finally {
    await file.close();
  }
}

/**
 * Puts a file in its place, with its parents, once it is written.
 *
 * @param path Its place; what is there is replaced.
 * @param pieces What it will hold.
 */
export async function replaceFile(
  path: string,
  pieces: AsyncIterable<Uint8Array>,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = temporaryName(path);
  try {
    await writeNewFile(temporary, pieces);
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}
