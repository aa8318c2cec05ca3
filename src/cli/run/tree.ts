/**
 * What lies in an out that is a folder or a pattern.
 *
 * @module
 */

import {
  type BigIntStats,
  type Dirent,
  lstatSync,
  readdirSync,
  readlinkSync,
} from "node:fs";
import { setImmediate } from "node:timers/promises";
import { NO_UTF8 } from "../../flags/words.ts";
import { isErrno } from "./disk.ts";
import { stampOf } from "./inputs/stamp.ts";
import type { Pattern } from "./pattern.ts";
import { type Mark, markOf } from "./record.ts";

/** Files between two turns of the event loop, in which work is kept alive. */
export const FILES_A_TURN = 256;
/** Who may do what with a file; never whose rights it runs with. */
const PERMISSION_BITS = 0o777;

/** What something is. */
export type LeafKind = "file" | "link" | "folder" | "other";

/** One thing in it; there may be 100,000. */
export interface Leaf {
  /** Its name, from the folder on. */
  readonly below: string;
  readonly kind: LeafKind;
  /** Its permission bits. */
  readonly mode: number;
  /** In bytes. */
  readonly size: number;
  /** Which one it is, and when it was written. */
  readonly stamp: string;
  /** What a link says. */
  readonly target: string | undefined;
}

/**
 * All that is below a folder, each folder before what it holds, in the order of
 * their names. Links are not followed. With a pattern: the files and links that
 * are meant, and no folders.
 *
 * @param folder Its path; nothing is found in one that is not there.
 * @throws A folder cannot be read, or a name is not UTF-8.
 */
export async function* leavesOf(
  folder: string,
  pattern?: Pattern,
): AsyncGenerator<Leaf, void, undefined> {
  let seen = 0;
  yield* below("");

  async function* below(within: string): AsyncGenerator<Leaf> {
    for (const name of namesIn(`${folder}/${within}`)) {
      const path = `${within}${name}`;
      if (++seen % FILES_A_TURN === 0) await setImmediate();
      const leaf = leafAt(folder, path);
      if (!leaf) continue;
      if (leaf.kind === "folder") {
        if (!pattern) yield leaf;
        if (!pattern || pattern.leadsInto(path)) yield* below(`${path}/`);
      } else if (!pattern || pattern.matches(path)) {
        yield leaf;
      }
    }
  }
}

/** The folders in which files of a pattern may be; never fails. */
export function* foldersFor(
  folder: string,
  pattern: Pattern,
): Generator<string, void, undefined> {
  yield* from("");

  function* from(within: string): Generator<string> {
    yield within === "" ? folder : `${folder}/${within.slice(0, -1)}`;
    for (const entry of entriesOf(`${folder}/${within}`)) {
      const below = `${within}${entry.name}`;
      if (!entry.isDirectory() || !pattern.leadsInto(below)) continue;
      yield* from(`${below}/`);
    }
  }
}

/** What lies at one place; `undefined`: nothing. */
export function leafAt(folder: string, below: string): Leaf | undefined {
  try {
    const path = `${folder}/${below}`;
    const info = lstatSync(path, { bigint: true });
    const target = info.isSymbolicLink() ? readlinkSync(path) : undefined;
    return {
      below,
      kind: kindOf(info),
      mode: Number(info.mode) & PERMISSION_BITS,
      size: Number(info.size),
      stamp: stampOf(info),
      target,
    };
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

function kindOf(info: BigIntStats): LeafKind {
  if (info.isDirectory()) return "folder";
  if (info.isSymbolicLink()) return "link";
  return info.isFile() ? "file" : "other";
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function namesIn(folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(folder).sort();
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return [];
    throw error;
  }
  const garbled = names.find((name) => name.includes(NO_UTF8));
  if (garbled === undefined) return names;
  throw new Error(`the name of ${folder}${garbled} is not UTF-8`);
}

/** What is recorded of the files and links among them. */
export function* marksOf(leaves: Iterable<Leaf>): Generator<Mark> {
  for (const { below, kind, stamp } of leaves) {
    if (kind !== "folder") yield [below, markOf(stamp)];
  }
}
