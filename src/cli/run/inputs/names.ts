/**
 * Lists of names, as `git ls-files` and `find` write them.
 *
 * @module
 */

import { readFile, stat } from "node:fs/promises";
import { StartError } from "../../../errors.ts";
import { cannotRead } from "../../cannot.ts";

/** What a list says. */
export interface Names {
  /** Each once, in an order that is that of no list. */
  readonly names: readonly string[];
  /** Whether it can be read once only. */
  readonly isPipe: boolean;
}

/**
 * Reads a list: a name a line, or, if it holds a NUL, one before each of these.
 *
 * @throws {StartError} It cannot be read, is not UTF-8, or names no file.
 */
export async function namesFrom(list: string): Promise<Names> {
  try {
    const isPipe = !(await stat(list)).isFile();
    const bytes = await readFile(list);
    const text = decoded(list, bytes);
    const parts = text.split(text.includes("\0") ? "\0" : "\n");
    const names = [...new Set(parts.filter((name) => name !== ""))].sort();
    if (names.length > 0) return { names, isPipe };
  } catch (error) {
    throw error instanceof StartError ? error : cannotRead(list, error);
  }
  throw new StartError(2, `--key-files-from ${list}: it names no file`);
}

function decoded(list: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(bytes);
  } catch {
    throw new StartError(2, `--key-files-from ${list}: it is not UTF-8`);
  }
}
