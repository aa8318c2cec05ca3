/**
 * Which boot of the machine this is: what was only in memory when the server
 * died is still there in the same boot, and gone in the next. A confined process
 * may not look that up.
 *
 * @module
 */

/** Linux draws it at random when it boots. */
const BOOT_ID_FILE = "/proc/sys/kernel/random/boot_id";
/** A UUID; systemd's `%b` writes it without dashes. */
const BOOT_ID = /^[0-9a-f]{32}$/;

/**
 * Asks for the boot id of this machine.
 *
 * @returns 32 hexadecimal digits; `undefined` where nobody says.
 */
export async function currentBootId(): Promise<string | undefined> {
  try {
    // Deno reads files of /proc only with all permissions; `cat` needs none.
    const { stdout } = await new Deno.Command("cat", {
      args: [BOOT_ID_FILE],
      stdin: "null",
      stderr: "null",
    }).output();
    return parseBootId(new TextDecoder().decode(stdout));
  } catch {
    return undefined;
  }
}

/**
 * Reads a boot id.
 *
 * @param text With or without dashes.
 * @returns 32 hexadecimal digits; `undefined` when it is none.
 */
export function parseBootId(text: string): string | undefined {
  const digits = text.trim().toLowerCase().replaceAll("-", "");
  return BOOT_ID.test(digits) ? digits : undefined;
}
