/**
 * The command line as people write it in bash.
 *
 * @module
 */

import { larderCommand, type Shell } from "./support.ts";

/** The words that start it. */
export const PROGRAM: string = inQuotes(larderCommand());

/** Words, as a shell reads them. */
export function inQuotes(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
}

/** How a line ended, and what it said. */
export interface Line {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a line of bash in which `$larder` is the program. */
export async function inBash(
  shell: Shell,
  line: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Line> {
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["-c", line.replaceAll("$larder", PROGRAM)],
    cwd: shell.folder,
    env: { ...shell.env, ...env },
  }).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}
