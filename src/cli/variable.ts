/**
 * Variables of the environment.
 *
 * @module
 */

import process from "node:process";

/** What a variable holds; nothing where it is not set. */
export function variable(name: string): string {
  try {
    return process.env[name] ?? "";
  } catch {
    // Not UTF-8, which Deno does not read: nothing that could be meant either.
    return "\ufffd";
  }
}
