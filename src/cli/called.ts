/**
 * How this program was called: what it advises can be typed as it is.
 *
 * @module
 */

import process from "node:process";

/** What is looked at; the process by default. */
export interface Caller {
  /** The program that runs this one. */
  readonly execPath: string;
  /** Whether that is Deno, as in a clone; else it is Node, as npm installs it. */
  readonly isDeno: boolean;
  /** Whether `npx` or `npm exec` has started it. */
  readonly isNpx: boolean;
}

/** How the process was called. */
function thisCaller(): Caller {
  return {
    execPath: process.execPath,
    isDeno: process.versions["deno"] !== undefined,
    isNpx: variable("npm_command") === "exec",
  };
}

/**
 * The command that serves a root, as this user can type it.
 *
 * @param version Of Deno, for who has it from npx.
 */
export function serveCommand(
  version: string,
  { execPath, isDeno, isNpx }: Caller = thisCaller(),
): string {
  if (!isDeno) return isNpx ? "npx --no-install larder serve" : "larder serve";
  // In npm's cache it is in nobody's path.
  return /[\\/]_npx[\\/]/.test(execPath)
    ? `npx -y deno@${version} task serve`
    : "deno task serve";
}

function variable(name: string): string | undefined {
  try {
    return process.env[name];
  } catch {
    return undefined;
  }
}
