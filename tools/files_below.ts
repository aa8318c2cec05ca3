/**
 * The files of a repository, for tools that look at all of a kind.
 *
 * @module
 */

import { join, posix } from "node:path";

/**
 * Lists the files below a folder, and below the folders in it.
 *
 * @param root The root of the repository.
 * @param folder From there on; `.`: all of it.
 * @param isSkipped Whether a path is not looked at, nor into.
 * @returns Their paths from the root on: `src/main.ts`.
 */
export function filesBelow(
  root: string,
  folder: string,
  isSkipped: (path: string) => boolean = () => false,
): string[] {
  return [...Deno.readDirSync(join(root, folder))].flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (isSkipped(path)) return [];
    return entry.isDirectory ? filesBelow(root, path, isSkipped) : [path];
  });
}
