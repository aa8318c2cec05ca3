/**
 * Failures of the system that say which file it was.
 *
 * @module
 */

import { messageOf } from "../../errors.ts";

/**
 * Writes a file; where the system refuses, its name is said: a full disk says
 * no more than that it is full.
 *
 * @param name The file, as the user knows it.
 * @param write Writes it. What else it throws is thrown as it is.
 */
export async function named(
  name: string,
  write: () => Promise<void>,
): Promise<void> {
  try {
    await write();
  } catch (error) {
    // What is written is read meanwhile, perhaps from a file as well.
    const { syscall } = error as { readonly syscall?: unknown };
    if (typeof syscall !== "string" || syscall === "read") throw error;
    const message = `${name} cannot be written: ${messageOf(error)}`;
    throw new Error(message, { cause: error });
  }
}
