/** `larder status`. @module */

import type { Command } from "../command.ts";
import { FAILED, OK } from "../exit_codes.ts";
import { count, formatSize, formatSpan, table, withSizes } from "../format.ts";
import { print, printJson } from "../output.ts";
import { addressesOf } from "../addresses.ts";
import { inSnake, type Status } from "../picture.ts";
import { Server } from "../server.ts";

/** Says what the server is doing, on one screen. */
export const status: Command = {
  name: "status",
  usage: "",
  summary: "what the server is doing; exit code 1 if it is in trouble",
  options: [],
  async run(words) {
    words.atMost(0);
    await using server = await Server.at(addressesOf(words));
    const status = await server.status();
    if (words.has("json")) await printJson(inSnake(status));
    else await print(screen(status));
    return status.trouble === "" ? OK : FAILED;
  },
};

/** The work that is shown to people. */
const SHOWN_WORK = 15;

function screen(status: Status): string {
  const { hits, misses, loading, publishing, underWay } = status;
  const asked = hits + misses;
  const share = asked === 0 ? "-" : `${Math.floor(100 * hits / asked)} %`;
  const lines = table([
    ["server", `larder ${status.version}, up for ${formatSpan(status.upMs)}`],
    ["kept", keptLine(status)],
    ["disk", diskLine(status)],
    [
      "found",
      `${share} of ${count(asked, "request")}, saved ` +
      `${formatSpan(status.savedMs)} of computing`,
    ],
    [
      "under way",
      `${loading} computed, ${publishing} published, ${status.waiting} ` +
      `waiting, ${count(status.handles, "file")} in use`,
    ],
    [
      "gone",
      `${status.evictedEntries} evicted (${
        formatSize(status.evictedBytes)
      }), ` +
      `${status.damaged} damaged`,
    ],
    ["trouble", withSizes(status.trouble) || "none"],
  ]);
  if (underWay.length === 0) return lines;
  const rows = underWay.slice(0, SHOWN_WORK).map((work) => [
    formatSpan(work.computingMs),
    work.holder || "unknown",
    work.publishing ? "published" : `${work.waiting} waiting`,
    `${work.namespace} ${work.key}`,
  ]);
  const head = ["for", "by", "", "what"];
  const rest = loading + publishing - rows.length;
  const more = rest > 0 ? `and ${rest} more\n` : "";
  return `${lines}\n${table([head, ...rows])}${more}`;
}

/** What is kept, against the limits. */
export function keptLine(
  { entries, bytes, maxEntries, maxBytes }: Status,
): string {
  const share = (used: number, most: number, text: string) =>
    most === 0 ? "" : ` of ${text} (${Math.floor(100 * used / most)} %)`;
  return `${formatSize(bytes)}${share(bytes, maxBytes, formatSize(maxBytes))}` +
    `, ${count(entries, "entry", "entries")}` +
    share(entries, maxEntries, `${maxEntries}`);
}

function diskLine({ diskBytes, diskFreeBytes }: Status): string {
  return diskBytes === 0
    ? "-"
    : `${formatSize(diskFreeBytes)} free of ${formatSize(diskBytes)}`;
}
