/**
 * Commands as people write them.
 *
 * @module
 */

/**
 * Writes a command as one line for a shell.
 *
 * @param words The program and its arguments.
 * @returns The line.
 */
export function shellLine(words: readonly string[]): string {
  return words.map((word) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
  ).join(" ");
}
