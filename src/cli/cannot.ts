/**
 * Files that cannot be read or written, in one line.
 *
 * @module
 */

import { messageOf, StartError } from "../errors.ts";

/** A file that was named on the command line cannot be read. */
export function cannotRead(path: string, error: unknown): StartError {
  return cannot(2, `read ${path}`, error);
}

/** A file cannot be written. */
export function cannotWrite(path: string, error: unknown): StartError {
  return cannot(1, `write ${path}`, error);
}

function cannot(exitCode: 1 | 2, what: string, error: unknown): StartError {
  const why = whyNot(error);
  return new StartError(exitCode, `cannot ${what}: ${why}`, { cause: error });
}

/**
 * What the system says, without the name of the error, and of the call, which
 * has paths again. Deno's own calls say it in another way.
 */
export function whyNot(error: unknown): string {
  return messageOf(error)
    .replace(/^E[A-Z0-9]+: (.*?), \w+.*$/s, "$1")
    .replace(/^(.*?) \(os error \d+\).*$/s, "$1");
}
