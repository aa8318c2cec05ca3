/**
 * Whether other users get to a root at all: they have to pass through each folder
 * above it.
 *
 * @module
 */

import { dirname } from "node:path";

/** Others may pass through. */
const OTHERS_PASS = 0o001;

/**
 * What to tell of a root that is served to other users, and that they do not
 * reach.
 *
 * @param root Its absolute path, links followed.
 * @param modeOf The permission bits of a folder; `null` where there are none.
 */
export function closedAbove(
  root: string,
  modeOf: (folder: string) => number | null = (folder) =>
    Deno.lstatSync(folder).mode,
): string | undefined {
  const folder = dirname(root);
  if (folder === root) return undefined;
  const mode = modeOf(folder);
  if (mode === null || (mode & OTHERS_PASS) !== 0) {
    return closedAbove(folder, modeOf);
  }
  return `--shared: other users cannot pass through ${folder}, which is above ` +
    `the root: chmod o+x ${folder}, or they get no file, unless a group lets ` +
    "them in";
}
