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
import { originNotedIn } from "../run/noted_origin.ts";
import { type Origin, originJson } from "../run/origin.ts";
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
    const origin = await originNotedIn(info, server);
    if (words.has("json")) {
      await printJson({
        ...infoJson(info),
        ...origin && { made: originJson(origin) },
      });
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
      ...origin ? rowsOf(origin, nowMs) : [],
    ]));
    return OK;
  },
};

/** Of an output of `larder run`. */
function rowsOf(
  { command, folder, host, atMs, tookMs }: Origin,
  nowMs: number,
): [string, string][] {
  return [
    ["command", command],
    ["in", folder],
    ["on", host],
    ["ended", formatAge(atMs, nowMs)],
    ["took", formatSpan(tookMs)],
  ];
}

const STATUS: Readonly<Record<string, string>> = {
  loading: "loading: being computed",
  expired: "expired: whoever computed it has gone, and the next gets the work",
};

/** What is being computed has no size yet. */
function sizeOf({ status, size }: StoredEntry): string {
  return status === "ready" ? `${formatSize(size)} (${size} bytes)` : "-";
}
