/**
 * Hashes that are remembered from one run to the next, in the user's cache
 * folder: of an input of 50,000 files, a few are another than last time.
 *
 * @module
 */

import { lstat, readdir, readFile, rename, rm, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { sha256Hex } from "../../../../workers/digest.ts";
import { makeFolder } from "../../make_folder.ts";
import { temporaryName, writeNewFile } from "../../replace_file.ts";
import { baseFolder } from "../state_folder.ts";
import { Hashes } from "./hashes.ts";

const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;
const WRITABLE_BY_OTHERS = 0o022;
/** What was of no use for so long is removed. */
const UNUSED_MS = 30 * 86_400_000;
/** A million files, and some. */
const MAX_BYTES = 256 * 1024 * 1024;
/** A stamp and a hash. */
const LINE = /^(\d+(?: \d+){4}) ([0-9a-f]{64})$/;
/** Makes it another one when the lines say something else. */
const FIRST_WORD = "larder-hashes-1";

/** Where hashes are remembered, and by which clock; tests have their own. */
export interface MemoryOptions {
  readonly folder?: string;
  readonly now?: () => number;
}

/**
 * Has something look with the hashes of the last time, and keeps those of this
 * time. What cannot be read or written is done without.
 *
 * @param about What was looked at: another input has other files.
 * @param look Hashes files.
 * @param options Where, and when.
 */
export async function remembering<Value>(
  about: string,
  look: (hashes: Hashes) => Promise<Value>,
  { folder = cacheFolder(), now }: MemoryOptions = {},
): Promise<Value> {
  const path = folder && join(folder, sha256Hex(about));
  const hashes = new Hashes(path ? await load(path) : new Map(), now);
  const value = await look(hashes);
  const { news } = hashes;
  if (news && path) await save(path, news).catch(() => {});
  return value;
}

async function load(path: string): Promise<Map<string, string>> {
  const known = new Map<string, string>();
  try {
    const info = await lstat(path);
    // One that somebody else can write could say anything.
    const isOurs = info.isFile() && info.uid === process.getuid?.() &&
      (info.mode & WRITABLE_BY_OTHERS) === 0;
    if (!isOurs || info.size > MAX_BYTES) return known;
    const text = await readFile(path, "latin1");
    const end = text.indexOf("\n");
    const lines = text.slice(end + 1);
    if (text.slice(0, end) !== headOf(lines)) return known;
    for (const line of lines.split("\n")) {
      const [, stamp, hash] = LINE.exec(line) ?? [];
      if (stamp !== undefined) known.set(stamp, hash!);
    }
    const now = new Date();
    await utimes(path, now, now);
  } catch {
    // There is none yet, or none can be had.
  }
  return known;
}

async function save(
  path: string,
  hashes: ReadonlyMap<string, string>,
): Promise<void> {
  const lines = [...hashes].map((pair) => pair.join(" ")).join("\n");
  const text = `${headOf(lines)}\n${lines}`;
  if (text.length > MAX_BYTES) return;
  await makeFolder(dirname(path), PRIVATE_FOLDER);
  await removeUnused(dirname(path));
  const temporary = temporaryName(path);
  try {
    const bytes = new TextEncoder().encode(text);
    await writeNewFile(temporary, [bytes], PRIVATE_FILE);
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** What a disk has altered is not believed. */
function headOf(lines: string): string {
  return `${FIRST_WORD} ${sha256Hex(lines)}`;
}

async function removeUnused(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const info = await lstat(path).catch(() => undefined);
    if (!info || Date.now() - info.mtimeMs < UNUSED_MS) continue;
    await rm(path, { force: true });
  }
}

function cacheFolder(): string | undefined {
  try {
    return join(baseFolder("XDG_CACHE_HOME", ".cache"), "larder", "hashes");
  } catch {
    // Deno reads no variable that is not UTF-8.
    return undefined;
  }
}
