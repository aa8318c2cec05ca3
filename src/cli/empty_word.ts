/**
 * Words of a command line that are empty.
 *
 * @module
 */

import { StartError } from "../errors.ts";

/**
 * A word is empty, and nobody is likely to mean that.
 *
 * @param what Which one, such as `--out` or `FILE`.
 * @param instead What to write if it is meant.
 */
export function emptyWord(what: string, instead?: string): StartError {
  const more = instead === undefined ? "" : `; ${instead}`;
  const message = `${what} is empty, as of a variable that is not set${more}`;
  return new StartError(2, message);
}
