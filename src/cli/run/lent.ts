/**
 * Folders that a command has left without the right to write in them. Who owns
 * one can lend that right for a moment.
 *
 * @module
 */

import { chmod, stat } from "node:fs/promises";
import { isErrno } from "./disk.ts";

/** What lets an owner change what is in a folder. */
const OWNER_BITS = 0o700;
const MODE_BITS = 0o7777;

/**
 * Does something in a folder; once more, with the right to, if that is what it
 * lacked. The folder's mode is what it was, then.
 */
export async function inFolder<T>(
  folder: string,
  action: () => Promise<T>,
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!isErrno(error, "EACCES")) throw error;
    const { mode } = await stat(folder);
    if ((mode & OWNER_BITS) === OWNER_BITS) throw error;
    // Somebody else's folder stays as it is.
    await chmod(folder, mode & MODE_BITS | OWNER_BITS).catch(() => {
      throw error;
    });
    try {
      return await action();
    } finally {
      await chmod(folder, mode & MODE_BITS);
    }
  }
}
