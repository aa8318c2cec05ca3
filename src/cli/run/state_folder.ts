/**
 * Where what runs leave to later ones is kept. It can be done without.
 *
 * @module
 */

import { lstat, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import process from "node:process";
import { makeFolder } from "../make_folder.ts";
import { temporaryName, writeNewFile } from "../replace_file.ts";
import { homeFolders } from "./home_folders.ts";

const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;
/** So much is written at once. */
const PIECE_CHARS = 64 * 1024;
/** What was not written for so long is removed: its folder may be gone. */
const UNUSED_MS = 90 * 86_400_000;
/** There may be thousands, and each would be looked at by each run. */
const CLEANING_CHANCE = 0.02;

/** A file of the state folder: the name of a folder in it, and its own. */
export type StateName = readonly [folder: string, name: string];

/**
 * The folder, which need not be there.
 *
 * @throws The environment does not tell.
 */
export function stateFolder(): string {
  return join(baseFolder("XDG_STATE_HOME", ".local/state"), "larder");
}

/**
 * One of the user's folders, by the rules of XDG: a path that is not absolute
 * does not count.
 *
 * @param variable May name it.
 * @param inHome Where it is otherwise, in the home folder.
 * @throws The environment does not tell.
 */
export function baseFolder(variable: string, inHome: string): string {
  const given = process.env[variable] ?? "";
  if (isAbsolute(given)) return given;
  const [home] = homeFolders();
  if (home === undefined) throw new Error("there is no home folder");
  return join(home, inHome);
}

/**
 * Reads a file of it.
 *
 * @throws There is none.
 */
export async function readState(name: StateName): Promise<string> {
  return await readFile(join(stateFolder(), ...name), "utf8");
}

/**
 * Writes a file of it, or removes it if that fails. Never fails.
 *
 * @param name The file.
 * @param texts What it will hold, in parts that may be small.
 */
export async function saveState(
  name: StateName,
  texts: Iterable<string>,
): Promise<void> {
  try {
    const path = join(stateFolder(), ...name);
    const temporary = temporaryName(path);
    try {
      await makeFolder(dirname(path), PRIVATE_FOLDER);
      await removeUnused(dirname(path));
      await writeNewFile(temporary, encoded(texts), PRIVATE_FILE);
      await rename(temporary, path);
    } catch {
      // What it says is of another time.
      await rm(path, { force: true });
    } finally {
      await rm(temporary, { force: true });
    }
  } catch {
    // The folder is nobody's to write to.
  }
}

function* encoded(texts: Iterable<string>): Generator<Uint8Array> {
  let waiting = "";
  for (const text of texts) {
    waiting += text;
    if (waiting.length < PIECE_CHARS) continue;
    yield new TextEncoder().encode(waiting);
    waiting = "";
  }
  yield new TextEncoder().encode(waiting);
}

async function removeUnused(folder: string): Promise<void> {
  if (Math.random() > CLEANING_CHANCE) return;
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const info = await lstat(path).catch(() => undefined);
    if (!info || Date.now() - info.mtimeMs < UNUSED_MS) continue;
    await rm(path, { force: true });
  }
}
