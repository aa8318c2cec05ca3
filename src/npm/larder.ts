/**
 * The commands of the npm package: those of clients run in this process, those of
 * the server on the Deno that is installed beside it.
 *
 * @module
 */

import { asked } from "../cli/asked.ts";
import { runCli } from "../cli/cli.ts";
import { runOnDeno } from "./on_deno.ts";

/**
 * Runs a command.
 *
 * @param words What follows the program's name.
 * @returns The exit code.
 */
export async function larder(words: readonly string[]): Promise<number> {
  const args = asked(words);
  const [command, ...more] = args;
  return command === "serve" || command === "recover"
    ? await runOnDeno(command, more)
    : await runCli(args);
}
