/**
 * Where the files of `--out` really are, links and all.
 *
 * @module
 */

import { lstat, readlink, realpath } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, normalize } from "node:path";
import process from "node:process";
import { NO_UTF8 } from "../words.ts";
import { isErrno } from "./disk.ts";

/** As many as Linux follows. */
const MAX_LINKS = 40;

/** A file of `--out`, as it stands. */
export interface Out {
  /** As it was named. */
  readonly name: string;
  /** Its own place: the real path of its folder, and its name. */
  readonly path: string;
  /** Where what is written to it goes: elsewhere, if it is a link. */
  readonly place: string;
  /** What tells a link that is there from one that is made later. */
  readonly link: string | undefined;
}

/**
 * Looks where the outs are. A link is followed, except one to another out: that
 * is itself what a command has made.
 *
 * @param names As they were named.
 */
export async function outsOf(
  names: readonly string[],
): Promise<readonly Out[]> {
  const outs: Out[] = [];
  for (const name of names) {
    const path = await ownPlace(name);
    const link = await linkAt(path);
    const isInside = link !== undefined &&
      await leadsToOut(name, link.target, names);
    outs.push({
      name,
      path,
      place: link === undefined || isInside ? path : await placeOf(path),
      link: isInside ? undefined : link?.id,
    });
  }
  return outs;
}

/** The place of a name itself, whatever lies there. */
export async function ownPlace(name: string): Promise<string> {
  const path = isAbsolute(name) ? name : `${process.cwd()}/${name}`;
  const place = join(await realFolder(dirname(path)), basename(path));
  // Of a folder, or of where a link leads; it is the name of something else.
  if (place.includes(NO_UTF8)) throw new Error(`${place}: not UTF-8`);
  return place;
}

/** The place that is written to by who writes to `path`. */
export async function placeOf(path: string): Promise<string> {
  let place = await ownPlace(path);
  for (let links = 0; links < MAX_LINKS; links++) {
    const link = await linkAt(place);
    if (link === undefined) return place;
    const { target } = link;
    place = await ownPlace(
      isAbsolute(target) ? target : `${dirname(place)}/${target}`,
    );
  }
  throw new Error(`${path}: too many links`);
}

/**
 * Whether the link of an out is one that can be made again elsewhere: it is
 * relative, and leads to another out, by its words and in the files as they are.
 *
 * @param name The link, as it was named.
 * @param target What it says.
 * @param names All the outs.
 */
export async function leadsToOut(
  name: string,
  target: string,
  names: readonly string[],
): Promise<boolean> {
  const other = outAt(name, target, names);
  if (other === undefined) return false;
  const folder = dirname(await ownPlace(name));
  return await ownPlace(`${folder}/${target}`) === await ownPlace(other);
}

/** The out that a link leads to by its words, wherever the folders are. */
export function outAt(
  name: string,
  target: string,
  names: readonly string[],
): string | undefined {
  if (target === "" || isAbsolute(target)) return undefined;
  const place = normalize(`${dirname(name)}/${target}`);
  return names.find((each) => each !== name && normalize(each) === place);
}

/** What a link says, and which one it is; `undefined`: no link is there. */
export async function linkAt(
  path: string,
): Promise<{ target: string; id: string } | undefined> {
  try {
    const info = await lstat(path, { bigint: true });
    if (!info.isSymbolicLink()) return undefined;
    const target = await readlink(path);
    return { target, id: `${info.dev} ${info.ino} ${info.ctimeNs} ${target}` };
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

/** The real path of a folder, also of one that is still to be made. */
async function realFolder(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (!isErrno(error, "ENOENT") || dirname(path) === path) throw error;
    return join(await realFolder(dirname(path)), basename(path));
  }
}
