/**
 * Files that are there whole, or not at all.
 *
 * @module
 */

import {
  chmod,
  type FileHandle,
  open,
  rename,
  rm,
  stat,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { CacheError } from "../client/cache_error.ts";
import { cannotWrite } from "./cannot.ts";
import { isBrokenPipe } from "./output.ts";
import { placeOf } from "./run/places.ts";
import { makeFolder } from "./make_folder.ts";

/** A name beside a file that no other process picks, however long its own is. */
export function temporaryName(path: string): string {
  return join(dirname(path), `.larder-${crypto.randomUUID()}`);
}

/**
 * Writes the pieces of a new file.
 *
 * @param path Where; it must not be there.
 * @param pieces What it will hold.
 * @param mode Its permissions; absent: as the umask has them.
 */
export async function writeNewFile(
  path: string,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  mode?: number,
): Promise<void> {
  await fill(await open(path, "wx", mode), pieces);
  if (mode !== undefined) await chmod(path, mode);
}

/**
 * Puts a file in its place, with its parents, once it is written. Of a link,
 * what it leads to is replaced; what is no file, such as a pipe or `/dev/null`,
 * is written to.
 *
 * @param path Its place; what is there is replaced.
 * @param pieces What it will hold; what they throw is thrown as it is, if it is
 * a {@linkcode CacheError}.
 * @throws {StartError} It cannot be written.
 */
export async function replaceFile(
  path: string,
  pieces: AsyncIterable<Uint8Array>,
): Promise<void> {
  try {
    const info = await stat(path).catch(ifMissing);
    if (info?.isDirectory()) throw new Error("it is a folder");
    if (info && !info.isFile()) {
      return await fill(await open(path, "w"), pieces);
    }
    // Also of a link that leads to nothing yet.
    await replace(await placeOf(path), pieces);
  } catch (error) {
    if (error instanceof CacheError || isBrokenPipe(error)) throw error;
    throw cannotWrite(path, error);
  }
}

async function replace(
  place: string,
  pieces: AsyncIterable<Uint8Array>,
): Promise<void> {
  await makeFolder(dirname(place));
  const temporary = temporaryName(place);
  try {
    await writeNewFile(temporary, pieces);
    await rename(temporary, place);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function fill(
  file: FileHandle,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  try {
    for await (const piece of pieces) await file.writeFile(piece);
  } finally {
    await file.close();
  }
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
