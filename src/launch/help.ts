/**
 * The text of `--help`, derived from the table of settings.
 *
 * @module
 */

import denoConfig from "../../deno.json" with { type: "json" };
import { SETTINGS } from "../config/settings.ts";
import { flagRows, helpRows } from "../flags/flag_rows.ts";
import { FLAGS } from "./flags.ts";

/** The version in deno.json. */
export const VERSION: string = denoConfig.version;

/**
 * Writes the help.
 *
 * @returns The text, without a newline at its end.
 */
export function helpText(): string {
  const { root } = SETTINGS;
  return [
    `larder ${VERSION}: one cache, served to LocalCache and RemoteCache clients`,
    "",
    "Usage:",
    "  larder serve [ROOT] [flags]",
    "  deno task serve [ROOT] [flags]    from a clone",
    "  larder recover [ROOT] [--force]   move a damaged manifest aside",
    "  larder help                       the commands of clients: get, put, run, …",
    "",
    ...helpRows([["ROOT", `${root.help} (default: ${root.defaultHelp})`]]),
    "",
    "Flags:",
    ...flagRows(FLAGS),
    "",
    "  D is a duration in whole milliseconds: 200ms, 2s, 1m, 1h, 30d, 2w.",
    "  BYTES is a plain number of bytes, or 512KiB, 64MiB, 1.5GiB; 10G is 10GiB.",
    "  ADDR is an IP address and a port: 127.0.0.1:28055, [::1]:0, 0.0.0.0:28056.",
    "",
    "Stopping: SIGTERM or Ctrl-C lets running work be published first; a second",
    "Ctrl-C, a second or more later, ends it at once.",
    "Exit code: 0 stopped, 1 cannot serve (root or port), 2 wrong flag, setting, or",
    "file that one names: starting it again does not help.",
  ].join("\n");
}
