/** `larder rm`. @module */

import { type Command, ENTRY_OPTIONS, QUIET_OPTION } from "../command.ts";
import { entryOf } from "../entry.ts";
import { FAILED, OK } from "../exit_codes.ts";
import { formatKey, toHex } from "../format.ts";
import { printJson, say } from "../output.ts";
import { addressesOf } from "../addresses.ts";
import { entryFor, printedHint } from "../printed_key.ts";
import { Server } from "../server.ts";

/** Removes an entry. */
export const rm: Command = {
  name: "rm",
  usage: "--ns NS KEY",
  summary: "remove a value; exit code 1 if there is none",
  options: [...ENTRY_OPTIONS, QUIET_OPTION],
  async run(words) {
    const named = await entryOf(words);
    words.atMost(words.positionals.length - named.others.length);
    await using server = await Server.at(addressesOf(words));
    const entry = await entryFor(server, named);
    const deleted = await server.delete(entry);
    const { namespace, key } = entry;
    if (words.has("json")) {
      await printJson({ namespace, key_hex: toHex(key), deleted });
    } else if (!words.has("quiet")) {
      const what = deleted
        ? "removed"
        : `not there${printedHint(words.positionals[0])}`;
      say(`${namespace} ${formatKey(key)}: ${what}`);
    }
    return deleted ? OK : FAILED;
  },
};
