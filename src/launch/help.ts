/**
 * The text of `--help`, derived from the table of settings.
 *
 * @module
 */

import denoConfig from "../../deno.json" with { type: "json" };
import { CONFIG_KEYS } from "../config.ts";
import { SETTINGS } from "../config/settings.ts";

/** The version in deno.json. */
export const VERSION: string = denoConfig.version;

/** Where the text of a flag begins. */
const TEXT_COLUMN = 31;
const WIDTH = 80;

const OTHER_FLAGS: readonly (readonly [string, string])[] = [
  [
    "    --config FILE",
    "a TOML file with the same names as keys, such as " +
    'heartbeat-interval = "2s"; paths in it are relative to the file; flags win',
  ],
  [
    "    --print-command",
    "print the command that starts the server with only " +
    "the permissions it needs, for systemd and containers, and stop",
  ],
  [
    "    --confined",
    "serve in this very process, without a launcher: what " +
    "that command does",
  ],
  [
    "    --boot-id ID",
    "of --confined: what /proc/sys/kernel/random/boot_id says now, %b in a unit of " +
    "systemd; without it large files are synced before Done is answered",
  ],
  [
    "    --force",
    "of recover: move the manifest aside though it is sound",
  ],
  ["-h, --help", "print this text"],
  ["-V, --version", "print the version"],
];

/**
 * Writes the help.
 *
 * @returns The text, without a newline at its end.
 */
export function helpText(): string {
  const { root } = SETTINGS;
  const flags = CONFIG_KEYS.filter((key) => key !== "root").map((key) => {
    const { short, name, argument, help, defaultHelp } = SETTINGS[key];
    const dashes = short ? `-${short}, --${name}` : `    --${name}`;
    const flag = `${dashes} ${argument}`.trimEnd();
    return row(flag, `${help} (default: ${defaultHelp})`);
  });
  return [
    `larder ${VERSION}: one cache, served to LocalCache and RemoteCache clients`,
    "",
    "Usage:",
    "  larder serve [ROOT] [flags]",
    "  deno task serve [ROOT] [flags]    from a clone",
    "  larder recover [ROOT] [--force]   move a damaged manifest aside",
    "  larder help                       the commands of clients: get, put, run, …",
    "",
    row("ROOT", `${root.help} (default: ${root.defaultHelp})`),
    "",
    "Flags:",
    ...flags,
    ...OTHER_FLAGS.map(([flag, text]) => row(flag, text)),
    "",
    "  D is a duration in whole milliseconds: 200ms, 2s, 1m, 1h, 30d, 2w.",
    "  BYTES is a plain number of bytes, or 512KiB, 64MiB, 1.5GiB; 10G is 10GiB.",
    "  ADDR is an IP address and a port: 127.0.0.1:28055, [::1]:0, 0.0.0.0:28056.",
    "",
    "Stopping: SIGTERM or Ctrl-C lets running work be published first; a second",
    "Ctrl-C, a second or more later, ends it at once.",
    "Exit code: 0 stopped, 1 cannot serve (root or port), 2 wrong flag or setting.",
  ].join("\n");
}

function row(flag: string, text: string): string {
  const lines: string[] = [];
  let line = `  ${flag}`.padEnd(TEXT_COLUMN);
  if (line.length > TEXT_COLUMN || !line.endsWith(" ")) {
    lines.push(line.trimEnd());
    line = " ".repeat(TEXT_COLUMN);
  }
  for (const word of text.split(" ")) {
    if (line.length + word.length > WIDTH) {
      lines.push(line.trimEnd());
      line = " ".repeat(TEXT_COLUMN);
    }
    line += `${word} `;
  }
  lines.push(line.trimEnd());
  return lines.join("\n");
}
