/**
 * Which files a run or a hit has put into a folder: only these are removed from
 * it again.
 *
 * @module
 */

import type { BigIntStats } from "node:fs";
import { sha256Hex } from "../../../workers/digest.ts";
import { readState, saveState } from "./state_folder.ts";

const NS_PER_MS = 1_000_000n;

/** The files of a folder that were put there, as they were. */
export type Marks = ReadonlyMap<string, string>;

/** What tells a file from one that was written, or put there, later. */
export function markOf({ ino, size, mtimeNs }: BigIntStats): string {
  // Not all file systems, nor all runtimes, tell more.
  return [ino, size, mtimeNs / NS_PER_MS].join(" ");
}

/**
 * Reads what is recorded of an out; nothing where that cannot be had.
 *
 * @param place The real path of the out.
 */
export async function readMarks(place: string): Promise<Marks> {
  try {
    const text = await readState(["outs", sha256Hex(place)]);
    const { place: own, marks } = JSON.parse(text);
    if (own === place) return new Map(marks as [string, string][]);
  } catch {
    // None is recorded, or not all of it.
  }
  return new Map();
}

/** Records what lies in an out. Never fails: then nothing of it is removed. */
export async function saveMarks(place: string, marks: Marks): Promise<void> {
  const text = JSON.stringify({ place, marks: [...marks] });
  await saveState(["outs", sha256Hex(place)], text);
}
