/**
 * Where names really lead, links and all.
 *
 * @module
 */

import { lstat, readlink, realpath } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";
import process from "node:process";
import { NO_UTF8 } from "../../flags/words.ts";
import { isErrno } from "./disk.ts";

/** As many as Linux follows. */
const MAX_LINKS = 40;

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
