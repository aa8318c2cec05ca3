/**
 * The user's home folders: the one that the environment names, and the one that
 * the system knows. A container may have neither.
 *
 * @module
 */

import { homedir, userInfo } from "node:os";
import { isAbsolute } from "node:path";

/**
 * Finds them. One that is not absolute would be a folder in the working folder,
 * of which nobody thinks: it does not count.
 *
 * @returns The one to use first; none for a user of whom nothing is known.
 */
export function homeFolders(): readonly string[] {
  const found = [homedir, () => userInfo().homedir].map((ask) => {
    try {
      return ask() ?? "";
    } catch {
      // A user without a line in the list of users.
      return "";
    }
  });
  return found.filter((path) => isAbsolute(path));
}
