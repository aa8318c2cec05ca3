/**
 * Where a command was called.
 *
 * @module
 */

import process from "node:process";

/** Its path; `undefined`: that is not UTF-8, or the folder has been removed. */
export function workingFolder(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}
