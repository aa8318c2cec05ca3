/**
 * The flags of `larder serve` and `larder recover`.
 *
 * @module
 */

import { CONFIG_KEYS } from "../config.ts";
import { SETTINGS } from "../config/settings.ts";
import type { Option } from "../flags/words.ts";

/** The settings that are flags: all but the root, which is a word. */
export const FLAG_KEYS = CONFIG_KEYS.filter((key) => key !== "root");

const SETTING_FLAGS: readonly Option[] = FLAG_KEYS.map((key) => {
  const { name, short, argument, isSwitch, help, defaultHelp } = SETTINGS[key];
  return {
    name,
    ...short !== undefined && { short },
    ...!isSwitch && { argument },
    help: `${help} (default: ${defaultHelp})`,
  };
});

/** All flags, in the order of the help. */
export const FLAGS: readonly Option[] = [
  ...SETTING_FLAGS,
  {
    name: "config",
    argument: "FILE",
    help: "a TOML file with the same names as keys, such as " +
      'heartbeat-interval = "2s"; paths in it are relative to the file; flags win',
  },
  {
    name: "print-command",
    help:
      "print the command that starts the server with only the permissions " +
      "it needs, for systemd and containers, and stop",
  },
  {
    name: "confined",
    help:
      "serve in this very process, without a launcher: what that command does",
  },
  {
    name: "supervised",
    isHidden: true,
    help: "stop when stdin ends: somebody else has started this",
  },
  {
    name: "boot-id",
    argument: "ID",
    help:
      "of --confined: what /proc/sys/kernel/random/boot_id says now, %b in " +
      "a unit of systemd; without it large files are synced before Done is answered",
  },
  {
    name: "force",
    help: "of recover: move the manifest aside though it is sound",
  },
  { name: "help", short: "h", help: "print this text" },
  { name: "version", short: "V", help: "print the version" },
];
