/**
 * The names that `larder run` uses beside the places of outs.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { basename, dirname, join } from "node:path";
import { sha256Hex } from "../../../workers/digest.ts";
import { OWNER_WORDS } from "./owner.ts";
import { TAKING } from "./place_lock.ts";
import { STAGING } from "./staging.ts";

/** File systems take names of so many bytes. */
const MAX_NAME_BYTES = 255;
/** How the name of a place's lock ends. */
export const LOCK = ".larder-lock";
/** How the names of marks begin: of places whose folder is not there yet. */
export const AHEAD = ".larder-ahead-";
/** The longest of what is added to a name. */
const ADDED = "..larder-partial";
const NAME_DIGITS = 32;

/** Whether a file of that name would be taken for one of ours. */
export function isOwnName(name: string): boolean {
  return /^\..*\.larder-(?:lock|old|left|partial|shared)$/s.test(name) ||
    [TAKING, STAGING, AHEAD].some((begin) => name.startsWith(begin));
}

/** The names beside a place. */
export interface Names {
  /** Who uses the place. */
  readonly lock: string;
  /** What was there before. */
  readonly old: string;
  /** What was there before, of a folder, once the command has written another. */
  readonly left: string;
  /** What a command had written whose `larder run` was killed. */
  readonly partial: string;
  /** Somebody else has written to the place meanwhile. */
  readonly shared: string;
}

/** The names beside a place, however long its own is. */
export function namesOf(place: string): Names {
  const name = basename(place);
  const isLong = Buffer.byteLength(name) + ADDED.length > MAX_NAME_BYTES;
  const short = isLong ? sha256Hex(name).slice(0, NAME_DIGITS) : name;
  const base = join(dirname(place), `.${short}`);
  return {
    lock: `${base}${LOCK}`,
    old: `${base}.larder-old`,
    left: `${base}.larder-left`,
    partial: `${base}.larder-partial`,
    shared: `${base}.larder-shared`,
  };
}

/** The name of a place, which stands in the line of its lock after the owner. */
export function placeIn(line: string): string {
  return line.split(" ").slice(OWNER_WORDS).join(" ");
}
