/**
 * What a user did wrong is one line, and no stack trace.
 *
 * @module
 */

import { StartError } from "../errors.ts";

/**
 * Runs a program; a refused start is told on stderr.
 *
 * @param run What it does.
 * @returns Its exit code.
 */
export async function complaining(run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    console.error(`larder: ${error.message.replaceAll("\n", " ")}`);
    return error.exitCode;
  }
}
