/**
 * Programs on Node, whose TLS can what Deno's cannot.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

/**
 * Runs a program of the folder `programs` to its end; what it writes to stderr
 * is shown.
 *
 * @returns What it prints; `undefined`: there is no Node.
 */
export async function printedOnNode(
  program: string,
  ...words: string[]
): Promise<string | undefined> {
  const path = fileURLToPath(new URL(`./programs/${program}`, import.meta.url));
  try {
    const { stdout } = await new Deno.Command("node", {
      args: [path, ...words],
      stderr: "inherit",
    }).output();
    return new TextDecoder().decode(stdout);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
