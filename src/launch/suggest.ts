/**
 * "Did you mean": the known name nearest to a mistyped one.
 *
 * @module
 */

import { slips } from "../slips.ts";

/** More wrong letters than this is another word, not a slip. */
const MAX_SLIPS = 2;

/**
 * Names what was probably meant, as the end of an error line.
 *
 * @param typed What was typed.
 * @param known What there is.
 * @param otherwise What to say when nothing is near.
 * @returns `: did you mean …?`, or that.
 */
export function suggest(
  typed: string,
  known: readonly string[],
  otherwise = "--help lists what there is",
): string {
  for (const name of known) {
    if (isSlip(typed, name)) return `: did you mean ${name}?`;
  }
  return `: ${otherwise}`;
}

/** Whether a name is another one with a slip or two. */
export function isSlip(typed: string, name: string): boolean {
  return slips(plain(typed), plain(name)) <= MAX_SLIPS;
}

function plain(name: string): string {
  return name.replace(/^-+/, "").replaceAll("_", "-").toLowerCase().slice(
    0,
    64,
  );
}
