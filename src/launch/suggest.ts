/**
 * "Did you mean": the known name nearest to a mistyped one.
 *
 * @module
 */

/** More wrong letters than this is another word, not a slip. */
const MAX_SLIPS = 2;

/**
 * Names what was probably meant, as the end of an error line.
 *
 * @param typed What was typed.
 * @param known What there is.
 * @returns `: did you mean …?`, or what to do when nothing is near.
 */
export function suggest(typed: string, known: readonly string[]): string {
  const wanted = plain(typed);
  for (const name of known) {
    if (slips(wanted, plain(name)) <= MAX_SLIPS) {
      return `: did you mean ${name}?`;
    }
  }
  return ": --help lists what there is";
}

function plain(name: string): string {
  return name.replace(/^-+/, "").replaceAll("_", "-").toLowerCase().slice(
    0,
    64,
  );
}

/** Levenshtein distance, one row at a time. */
function slips(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
