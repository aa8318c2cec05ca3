/**
 * Flags as a help lists them.
 *
 * @module
 */

import type { Option } from "./words.ts";

/** A flag that is longer than this has a line of its own. */
const MAX_COLUMN = 31;
const WIDTH = 80;

/** Flags and what they do, in two columns. */
export function flagRows(options: readonly Option[]): string[] {
  return helpRows(
    options.filter(({ isHidden }) => !isHidden)
      .map((option) => [spelling(option), option.help]),
  );
}

/** Words and what they mean, in two columns. */
export function helpRows(
  rows: readonly (readonly [word: string, text: string])[],
): string[] {
  const longest = Math.max(...rows.map(([word]) => word.length));
  const column = Math.min(MAX_COLUMN, longest + "    ".length);
  return rows.map(([word, text]) => row(word, text, column));
}

function spelling({ name, short, argument }: Option): string {
  const dashes = short ? `-${short}, --${name}` : `    --${name}`;
  return argument === undefined ? dashes : `${dashes} ${argument}`;
}

function row(word: string, text: string, column: number): string {
  const lines: string[] = [];
  let line = `  ${word} `.padEnd(column);
  if (line.length > column) {
    lines.push(line.trimEnd());
    line = " ".repeat(column);
  }
  for (const each of text.split(" ")) {
    if (line.length + each.length > WIDTH) {
      lines.push(line.trimEnd());
      line = " ".repeat(column);
    }
    line += `${each} `;
  }
  return [...lines, line.trimEnd()].join("\n");
}
