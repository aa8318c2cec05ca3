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
  const [nearest] = known.filter((name) => isSlip(typed, name))
    .sort((one, other) => wrong(typed, one) - wrong(typed, other));
  return nearest === undefined
    ? `: ${otherwise}`
    : `: did you mean ${nearest}?`;
}

/** Whether a name is another one with a slip or two. */
export function isSlip(typed: string, name: string): boolean {
  const slips = wrong(typed, name);
  if (slips <= 1) return true;
  // Of a short word, two other letters make another one.
  const isShort = 2 * slips >= Math.max(typed.length, name.length);
  return slips <= MAX_SLIPS && (!isShort || typed[0] === name[0]);
}

/** How many letters are wrong. */
function wrong(typed: string, name: string): number {
  return slips(plain(typed), plain(name));
}

function plain(name: string): string {
  return name.replace(/^-+/, "").replaceAll("_", "-").toLowerCase().slice(
    0,
    64,
  );
}
