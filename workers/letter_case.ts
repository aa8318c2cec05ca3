/**
 * Disks that take `Larder` and `larder` for one name: namespaces that differ
 * only in that share their files there. No wrong byte is served, since each
 * value is checked, but one of the two is lost.
 *
 * @module
 */

import { lstatSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * Whether capitals make no difference beside a file.
 *
 * @param path A file or folder whose name has small letters.
 * @returns Whether it is found in capitals, too.
 */
export function ignoresCase(path: string): boolean {
  const capitals = join(dirname(path), basename(path).toUpperCase());
  const options = { bigint: true, throwIfNoEntry: false } as const;
  const [info, other] = [path, capitals].map((at) => lstatSync(at, options));
  return info !== undefined && other !== undefined &&
    info.ino === other.ino && info.dev === other.dev;
}

/**
 * What to say of it.
 *
 * @param root The root.
 * @returns What is so, and what to do.
 */
export function caseWarning(root: string): { text: string; remedy: string } {
  return {
    text: `the disk of ${root} does not tell capitals from small letters: ` +
      "namespaces that differ only in these share their files, and lose values",
    remedy: "name namespaces alike, or serve a root on another disk",
  };
}
