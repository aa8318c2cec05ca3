/**
 * Who has a lock, as its line says.
 *
 * @module
 */

import { dirname } from "node:path";
import { isAround, isDead, ownerOf, thisOwner } from "./owner.ts";
import { isOver, survivorOf } from "./survivors.ts";

/** Says who has a lock. */
export async function whoHas(lock: string, line: string): Promise<string> {
  if (line === "") return `${lock} is in the way`;
  const { pid, host } = ownerOf(line);
  const survivor = await isDead(line)
    ? await survivorOf(line, dirname(lock))
    : undefined;
  if (survivor === undefined) {
    return `larder run with process number ${pid} on ${host} uses it ` +
      `(if that is gone, remove ${lock})`;
  }
  return `process number ${survivor}, of a larder run that was killed, may ` +
    `still write it (end that; if it is something else, remove ${lock})`;
}

/**
 * Whether a line is that of a run which has not started this one, and which
 * lives, or whose command does.
 */
export async function isOthers(line: string, folder: string): Promise<boolean> {
  const isOwn = line.startsWith(`${await thisOwner()} `);
  return !isOwn && !await isOver(line, folder) && !await isAround(line);
}
