/**
 * The folders that a start makes for its root, to be taken away again when the
 * start fails: a mistyped name leaves nothing behind.
 *
 * @module
 */

import { dirname } from "node:path";

/** The folders on the way to a root that are not there yet. */
export class MadeFolders {
  /** The root first. */
  readonly #missing: string[] = [];

  /** Looks before they are made. */
  constructor(root: string) {
    for (let path = root; isMissing(path); path = dirname(path)) {
      this.#missing.push(path);
    }
  }

  /** Removes them, as far as there is nothing in them. */
  async remove(): Promise<void> {
    try {
      for (const path of this.#missing) await Deno.remove(path);
    } catch {
      // Somebody has put something there, or has removed it.
    }
  }
}

/** What may not be looked at was not missing. */
function isMissing(path: string): boolean {
  try {
    Deno.lstatSync(path);
  } catch (error) {
    return error instanceof Deno.errors.NotFound;
  }
  return false;
}
