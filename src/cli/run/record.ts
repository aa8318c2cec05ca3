/**
 * Which files a run or a hit has put into a folder: only these are removed from
 * it again.
 *
 * @module
 */

import { sha256Hex } from "../../../workers/digest.ts";
import { readState, saveState } from "./state_folder.ts";

const NS_DIGITS = 6;

/** The files of a folder that were put there, as they were. */
export type Marks = ReadonlyMap<string, string>;
/** One of them: its name, and what tells it from another one. */
export type Mark = readonly [below: string, mark: string];

/**
 * What tells a file from one that was written, or put there, later.
 *
 * @param stamp What tells it from what it was a moment ago.
 */
export function markOf(stamp: string): string {
  const [, ino, size, mtimeNs = ""] = stamp.split(" ");
  // In milliseconds: not all runtimes tell more.
  return [ino, size, mtimeNs.slice(0, -NS_DIGITS)].join(" ");
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
export async function saveMarks(
  place: string,
  marks: Iterable<Mark>,
): Promise<void> {
  await saveState(["outs", sha256Hex(place)], textsOf(place, marks));
}

/** JSON in parts: as a whole it would be large, of 100,000 files. */
function* textsOf(place: string, marks: Iterable<Mark>): Generator<string> {
  let before = `{"place":${JSON.stringify(place)},"marks":[`;
  for (const mark of marks) {
    yield before + JSON.stringify(mark);
    before = ",";
  }
  yield before === "," ? "]}" : `${before}]}`;
}
