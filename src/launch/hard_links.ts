/**
 * Whether the kernel lets users link files that are not theirs. Where it does,
 * they could hand the server one of its own files as a value of theirs, and read
 * it then.
 *
 * @module
 */

import { StartError } from "../errors.ts";

/** Linux; a confined process may not look it up. */
const PROTECTED_FILE = "/proc/sys/fs/protected_hardlinks";

/**
 * Refuses to serve other users where such links can be made.
 *
 * @param config What is to be served.
 * @param protection What the kernel says; `undefined` where it says nothing.
 * @throws {StartError} They can.
 */
export async function refuseForeignLinks(
  { shared }: { readonly shared: boolean },
  protection: () => Promise<string | undefined> = protectedHardLinks,
): Promise<void> {
  if (!shared || await protection() !== "0") return;
  throw new StartError(
    1,
    "--shared: on this machine users may make hard links to files of others, " +
      "and so to the server's: sysctl -w fs.protected_hardlinks=1",
  );
}

async function protectedHardLinks(): Promise<string | undefined> {
  try {
    // Deno reads files of /proc only with all permissions; `cat` needs none.
    const { stdout } = await new Deno.Command("cat", {
      args: [PROTECTED_FILE],
      stdin: "null",
      stderr: "null",
    }).output();
    return new TextDecoder().decode(stdout).trim();
  } catch {
    return undefined;
  }
}
