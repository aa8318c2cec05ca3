/**
 * A root that serves other users of the machine: they pass through it and read
 * what they know the name of. What is the server's alone stays so.
 *
 * @module
 */

import { join } from "node:path";
import {
  CONFIG_FILE,
  isNamespace,
  MANIFEST_FILE,
  PRIVATE_FOLDER,
  STAGING_FOLDER,
} from "../../workers/root_names.ts";
import {
  type GroupNumber,
  isOpened,
  OWN_FOLDER_MODE,
  SHARED_ROOT_MODE,
  STICKY_BIT,
} from "../../workers/shared_modes.ts";
import { StartError, systemReason } from "../errors.ts";

/** Of the files that tell what is in the cache. */
const OWN_FILE_MODE = 0o600;
/** Made and removed to learn whether a group may be given. */
const PROBE = ".group-";

/**
 * Before anything is made in the root: closes it where others could look at a
 * manifest that is not there yet, and what is there already. Without `shared`,
 * takes back what an earlier start with it has opened.
 *
 * @param root Locked by this server.
 * @throws {StartError} It is another user's.
 */
export function closeRoot(
  root: string,
  { shared }: { readonly shared: boolean },
): void {
  changing(root, () => {
    if (shared) {
      // SQLite makes it as the umask says; its -wal and -shm are as it is.
      if (!lookAt(join(root, MANIFEST_FILE))) {
        Deno.chmodSync(root, OWN_FOLDER_MODE);
      }
      return hideFiles(root);
    }
    const staging = join(root, STAGING_FOLDER);
    const info = lookAt(staging);
    if (!info?.isDirectory || !((info.mode ?? 0) & STICKY_BIT)) return;
    Deno.chmodSync(root, OWN_FOLDER_MODE);
    takeBack(root);
    // Last: it is what says that there is something to be taken back.
    Deno.chmodSync(staging, OWN_FOLDER_MODE);
  });
}

/**
 * Once the manifest is there: lets others pass.
 *
 * @throws {StartError} It is another user's.
 */
export function openRoot(root: string): void {
  changing(root, () => {
    hideFiles(root);
    Deno.chmodSync(root, SHARED_ROOT_MODE);
  });
}

/**
 * Looks whether folders can be given to groups.
 *
 * @throws {StartError} The server's user is in none of the name.
 */
export function tryGroups(root: string, groups: readonly GroupNumber[]): void {
  if (groups.length === 0) return;
  const probe = Deno.makeTempDirSync({ dir: root, prefix: PROBE });
  try {
    for (const { pattern, gid } of groups) {
      try {
        Deno.chownSync(probe, null, gid);
      } catch (error) {
        throw new StartError(
          2,
          `--shared-groups ${pattern}=${gid}: this user cannot give folders ` +
            `to group ${gid} (${
              systemReason(error)
            }): make the user a member ` +
            "of it (usermod -aG) and start the server anew",
          { cause: error },
        );
      }
    }
  } finally {
    Deno.removeSync(probe);
  }
}

/** What the manifest and `Cache.toml` say is nobody else's to read. */
function hideFiles(root: string): void {
  for (const { name, isFile } of Deno.readDirSync(root)) {
    if (isFile && isServersOwn(name)) {
      Deno.chmodSync(join(root, name), OWN_FILE_MODE);
    }
  }
}

/** With what SQLite, and `larder recover`, put beside them. */
function isServersOwn(name: string): boolean {
  return name.startsWith(MANIFEST_FILE) || name.startsWith(CONFIG_FILE);
}

/**
 * Nobody else gets into namespaces' folders. A group stays what it was: closed,
 * it gives nothing, and shared again, it says whose the folder is.
 */
function takeBack(root: string): void {
  const own = lookAt(join(root, PRIVATE_FOLDER));
  if (!own) return;
  for (const { name, isDirectory } of Deno.readDirSync(root)) {
    if (!isDirectory || !isNamespace(name)) continue;
    const path = join(root, name);
    const info = Deno.lstatSync(path);
    if (info.uid !== own.uid || !isOpened(info.mode ?? 0)) continue;
    Deno.chmodSync(path, OWN_FOLDER_MODE);
  }
}

function changing(root: string, change: () => void): void {
  try {
    change();
  } catch (error) {
    throw new StartError(
      1,
      `cannot change who may pass through root ${root}: ` +
        `${systemReason(error)}: run the server as the user whose root it is`,
      { cause: error },
    );
  }
}

function lookAt(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
