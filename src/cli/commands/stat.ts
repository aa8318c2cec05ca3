/** `larder stat`. @module */

import { type Command, ENTRY_OPTIONS } from "../command.ts";
import { entryOf } from "../entry.ts";
import { FAILED, OK } from "../exit_codes.ts";
import {
  formatAge,
  formatKey,
  formatSize,
  formatSpan,
  table,
  toHex,
} from "../format.ts";
import { infoJson } from "../info_json.ts";
import { print, printJson, say } from "../output.ts";
import { addressesOf } from "../addresses.ts";
import { entryFor, printedHint } from "../printed_key.ts";
import type { StoredEntry } from "../../client/catalog.ts";
import { Server } from "../server.ts";

function formatIn({ expiresMs }: StoredEntry, nowMs: number): string {
  return `in ${formatSpan(Math.max(0, expiresMs - nowMs))}`;
}

/** Says what is known of an entry. */
export const stat: Command = {
  name: "stat",
  usage: "--ns NS KEY",
  summary: "what is known of an entry; exit code 1 if there is none",
  options: ENTRY_OPTIONS,
  async run(words) {
    const named = await entryOf(words);
    words.atMost(words.positionals.length - named.others.length);
    await using server = await Server.at(addressesOf(words));
    const entry = await entryFor(server, named);
    const info = await server.stat(entry);
    if (info === undefined) {
      if (words.has("json")) await printJson(null);
      else {
        const hint = printedHint(words.positionals[0]);
        say(`${entry.namespace} ${formatKey(entry.key)}: not there${hint}`);
      }
      return FAILED;
    }
    if (words.has("json")) {
      await printJson(infoJson(info));
      return OK;
    }
    const nowMs = Date.now();
    await print(table([
      ["namespace", info.namespace],
      ["key", formatKey(info.key)],
      ["status", STATUS[info.status] ?? info.status],
      ["size", sizeOf(info)],
      ["sha256", toHex(info.sha256) || "-"],
      ["created", formatAge(info.createdMs, nowMs)],
      ["last used", formatAge(info.accessedMs, nowMs)],
      ["expires", info.expiresMs === 0 ? "never" : formatIn(info, nowMs)],
      ["computing took", formatSpan(info.computedMs)],
    ]));
    return OK;
  },
};

const STATUS: Readonly<Record<string, string>> = {
  loading: "loading: being computed",
  expired: "expired: whoever computed it has gone, and the next gets the work",
};

/** What is being computed has no size yet. */
function sizeOf({ status, size }: StoredEntry): string {
  return status === "ready" ? `${formatSize(size)} (${size} bytes)` : "-";
}
