/** `larder usage`. @module */

import type { Command } from "../command.ts";
import { OK } from "../exit_codes.ts";
import { count, formatSize, formatSpan, table } from "../format.ts";
import { print, printJson } from "../output.ts";
import { addressesOf } from "../addresses.ts";
import { Server } from "../server.ts";

/** Says what is kept, and what the server is doing. */
export const usage: Command = {
  name: "usage",
  usage: "",
  summary: "what each namespace takes, and what the server is doing",
  options: [],
  async run(words) {
    words.atMost(0);
    await using server = await Server.at(addressesOf(words));
    const { namespaces, version, ...counts } = await server.usage();
    const sum = (of: "entries" | "bytes") =>
      namespaces.reduce((sum, each) => sum + each[of], 0);
    const total = { entries: sum("entries"), bytes: sum("bytes") };
    if (words.has("json")) {
      await printJson({
        version,
        namespaces,
        ...total,
        loading: counts.loading,
        publishing: counts.publishing,
        handles: counts.handles,
        waiting: counts.waiting,
        evicted_entries: counts.evictedEntries,
        evicted_bytes: counts.evictedBytes,
        damaged: counts.damaged,
        hits: counts.hits,
        misses: counts.misses,
        saved_ms: counts.savedMs,
      });
      return OK;
    }
    const rows = [...namespaces, { namespace: "in all", ...total }];
    await print(table(
      [
        ["namespace", "entries", "size"],
        ...rows.map(({ namespace, entries, bytes }) => [
          namespace,
          `${entries}`,
          formatSize(bytes),
        ]),
      ],
      [1, 2],
    ));
    // Who may not see what all do together gets noughts instead.
    if (Object.values(counts).every((count) => count === 0)) {
      await print(
        `\nlarder ${version}: what it does is for those with the right to admin ` +
          '"*", or it has done nothing since it started\n',
      );
      return OK;
    }
    await print(
      `\nlarder ${version}: ${counts.loading} being computed, ` +
        `${counts.publishing} being published, ${counts.waiting} waiting, ` +
        `${counts.handles} files in use\nsince it started: ` +
        `${counts.evictedEntries} evicted ` +
        `(${formatSize(counts.evictedBytes)}), ${counts.damaged} damaged, ` +
        `${count(counts.hits, "hit")} that saved ` +
        `${formatSpan(counts.savedMs)} of computing\n`,
    );
    return OK;
  },
};
