/**
 * Files that cannot be replaced, but be written: mounted ones, and those in a
 * folder that takes no others.
 *
 * @module
 */

import { createReadStream } from "node:fs";
import { access, chmod, constants, lstat, open } from "node:fs/promises";

/** Whether a file is there that can be written. */
export async function isWritable(path: string): Promise<boolean> {
  try {
    await access(path, constants.W_OK);
    return (await lstat(path)).isFile();
  } catch {
    return false;
  }
}

/** Gives a file what another one holds. */
export async function overwrite(
  path: string,
  from: string,
  mode: number,
): Promise<void> {
  const file = await open(path, "w");
  try {
    for await (const piece of createReadStream(from)) {
      await file.writeFile(piece);
    }
  } finally {
    await file.close();
  }
  // It may be somebody else's, who lets us write.
  await chmod(path, mode).catch(() => {});
}
