/**
 * Runs that had to do without the cache, for `larder doctor`: each of them was a
 * line on the stderr of something that nobody watches.
 *
 * @module
 */

import { constants } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeFolder } from "../make_folder.ts";
import { stateFolder } from "./state_folder.ts";

/** Beyond that, what is old goes. */
const MAX_BYTES = 64 * 1024;
const MAX_REASON_CHARACTERS = 300;
const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;
/** A FIFO in the file's place must not keep a build waiting. */
const APPENDING = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT |
  constants.O_NONBLOCK;

/** What a server says to whoever may read there, and no more: as it was meant. */
const BY_RIGHT = /this caller may not publish/;

/** One run without the cache. */
export interface Trouble {
  /** When, in milliseconds since 1970. */
  readonly atMs: number;
  /** Why. */
  readonly reason: string;
}

/** Notes a run that had to do without the cache. Never fails. */
export async function noteTrouble(reason: string): Promise<void> {
  if (BY_RIGHT.test(reason)) return;
  try {
    const path = notesPath();
    await makeFolder(dirname(path), PRIVATE_FOLDER);
    const note: Trouble = {
      atMs: Date.now(),
      reason: reason.slice(0, MAX_REASON_CHARACTERS),
    };
    const file = await open(path, APPENDING, PRIVATE_FILE);
    try {
      const info = await file.stat();
      if (!info.isFile()) return;
      // Later runs write to it, whatever the umask of this one is.
      if ((info.mode & PRIVATE_FILE) !== PRIVATE_FILE) {
        await file.chmod(PRIVATE_FILE);
      }
      if (info.size > MAX_BYTES) await file.truncate();
      await file.appendFile(`${JSON.stringify(note)}\n`);
    } finally {
      await file.close();
    }
  } catch {
    // It has been said on stderr.
  }
}

/** The notes, oldest first. */
export async function readTroubles(): Promise<readonly Trouble[]> {
  let text = "";
  try {
    text = await readFile(notesPath(), "utf8");
  } catch {
    // There are none, or their folder cannot be named.
  }
  return text.split("\n").flatMap((line) => {
    try {
      const { atMs, reason } = JSON.parse(line);
      const isNote = typeof atMs === "number" && typeof reason === "string";
      return isNote ? [{ atMs, reason }] : [];
    } catch {
      // Half of one, of a disk that was full.
      return [];
    }
  });
}

function notesPath(): string {
  return join(stateFolder(), "uncached.jsonl");
}
