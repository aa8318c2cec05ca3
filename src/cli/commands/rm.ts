/** `larder rm`. @module */

import { type Command, ENTRY_OPTIONS, QUIET_OPTION } from "../command.ts";
import { entryOf } from "../entry.ts";
import { FAILED, OK } from "../exit_codes.ts";
import { formatKey, toHex } from "../format.ts";
import { printJson, say } from "../output.ts";
import { isSelection, removeSelected, SELECTION_OPTIONS } from "../removal.ts";
import { addressesOf } from "../addresses.ts";
import { entryFor, printedHint } from "../printed_key.ts";
import { Server } from "../server.ts";
import type { Words } from "../../flags/words.ts";

/** Removes an entry, or many. */
export const rm: Command = {
  name: "rm",
  usage: "--ns NS (KEY | --all | --prefix TEXT | --older-than AGE | …)",
  summary: "remove a value (exit code 1 if there is none), or many",
  options: [...ENTRY_OPTIONS, ...SELECTION_OPTIONS, QUIET_OPTION],
  details: [
    "Of several conditions, all have to be true. NS may be NAME.* for all",
    "namespaces below NAME, or '*' for all there are. Values that are being read",
    "or computed stay, and are counted; when it is cut off, call it again.",
  ],
  async run(words) {
    return isSelection(words)
      ? await removeSelected(words)
      : await removeOne(words);
  },
};

async function removeOne(words: Words): Promise<number> {
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
}
