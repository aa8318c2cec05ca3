/**
 * What goes on of a run whose own process was killed: its command, and what that
 * has started. Nothing needs to be noted for it when the command is started, so
 * there is no moment at which the note is missing.
 *
 * @module
 */

import { readlink } from "node:fs/promises";
import { dirname } from "node:path";
import process from "node:process";
import {
  idOf,
  isDead,
  type Owner,
  ownerOf,
  parents,
  thisOwner,
  UNKNOWN,
} from "./owner.ts";
import { membersOf } from "./session_members.ts";

/** What takes over the processes whose parents have ended. */
const INIT = "1";
/** A process that is started while one looks can be missed, once. */
const LOOKS = 2;

/** Runs of which nothing goes on: nothing can begin to, either. */
const over = new Set<string>();

/**
 * Whether a run is over for certain: its process has died, and nothing that its
 * command has started still runs, as far as can be seen.
 *
 * @param line The owner, and whatever else.
 * @param folder Where the run writes.
 */
export async function isOver(line: string, folder: string): Promise<boolean> {
  return await isDead(line) && await survivorOf(line, folder) === undefined;
}

/**
 * The process number of something that a dead run's command has started, and
 * that still runs; `undefined`: there is nothing, or it cannot be seen. It is
 * told by its session, which the run had too; by having been started after it;
 * by having lost the process that started it; and by its working folder.
 *
 * @param line The owner, who has died, and whatever else.
 * @param folder Where the run writes.
 */
export async function survivorOf(
  line: string,
  folder: string,
): Promise<string | undefined> {
  const owner = ownerOf(line);
  const here = ownerOf(await thisOwner());
  if (owner.boot !== here.boot || owner.session === UNKNOWN) return undefined;
  const id = `${owner.pid} ${owner.started}`;
  if (over.has(id)) return undefined;
  const folders = [owner.folder, await idOf(folder)]
    .filter((each) => each !== UNKNOWN);
  let isAlone = true;
  for (let look = 0; look < LOOKS; look++) {
    for (const pid of await orphansOf(owner)) {
      isAlone = false;
      if (await worksIn(pid, folders)) return pid;
    }
  }
  if (isAlone) over.add(id);
  return undefined;
}

/** Those of its session that were started later, and by nobody who lives. */
async function orphansOf(
  { session, started }: Owner,
): Promise<readonly string[]> {
  const members = membersOf(session);
  const leader = members.get(session);
  // Another session, to which the number was given again.
  if (leader && isLater(leader.started, started)) return [];
  const pids = [...members].filter(([pid, { parent, started: since }]) =>
    (parent === INIT || !members.has(parent)) &&
    !isLater(started, since) && pid !== String(process.pid)
  ).map(([pid]) => pid);
  // There, who is started by a script that is the first process of a container
  // looks like an orphan; at least it is not what has started us.
  if (!members.has(INIT)) return pids;
  const around = new Set<string>();
  for await (const pid of parents()) around.add(pid);
  return pids.filter((pid) => !around.has(pid));
}

function isLater(one: string, other: string): boolean {
  return Number(one) > Number(other);
}

/** Whether a process works in, or below, one of some folders, or may do so. */
async function worksIn(
  pid: string,
  folders: readonly string[],
): Promise<boolean> {
  let at: string;
  try {
    at = await readlink(`/proc/${pid}/cwd`);
  } catch (error) {
    // Another user's.
    return (error as { code?: string }).code === "EACCES";
  }
  for (;;) {
    if (folders.includes(await idOf(at))) return true;
    if (dirname(at) === at) return false;
    at = dirname(at);
  }
}
