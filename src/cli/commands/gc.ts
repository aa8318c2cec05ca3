/** `larder gc`. @module */

import type { Command } from "../command.ts";
import { OK } from "../exit_codes.ts";
import { count, formatSize } from "../format.ts";
import { print, printJson } from "../output.ts";
import { addressesOf } from "../addresses.ts";
import { Server } from "../server.ts";

/** Takes away what has to go, now. */
export const gc: Command = {
  name: "gc",
  usage: "",
  summary: "take away now what the server's limits say has to go",
  options: [],
  async run(words) {
    words.atMost(0);
    await using server = await Server.at(addressesOf(words));
    const { evictedEntries, evictedBytes } = await server.sweep();
    if (words.has("json")) {
      await printJson({
        evicted_entries: evictedEntries,
        evicted_bytes: evictedBytes,
      });
    } else {
      const entries = count(evictedEntries, "entry", "entries");
      await print(`${entries} evicted, ${formatSize(evictedBytes)}\n`);
    }
    return OK;
  },
};
