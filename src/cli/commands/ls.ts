/** `larder ls`. @module */

import { type Command, NAMESPACE_OPTION } from "../command.ts";
import { OK } from "../exit_codes.ts";
import { count, formatAge, formatKey, formatSize } from "../format.ts";
import { infoJson } from "../info_json.ts";
import { print, printJson, say } from "../output.ts";
import { addressesOf } from "../addresses.ts";
import { givenPattern, type Pattern, patternOf } from "../namespace.ts";
import type { StoredEntry } from "../../client/catalog.ts";
import { Server } from "../server.ts";
import { isSlip } from "../../flags/suggest.ts";

/** Lists entries. */
export const ls: Command = {
  name: "ls",
  usage: "[NS]",
  summary: "the entries of a namespace, or of all",
  options: [NAMESPACE_OPTION],
  details: [
    "NS, or --ns NS, is a namespace, or 'sim.*' for all below sim. With --json",
    "each entry is one line.",
  ],
  async run(words) {
    const word = givenPattern(words);
    const pattern = patternOf(word);
    await using server = await Server.at(addressesOf(words));
    const total = { entries: 0, bytes: 0 };
    const nowMs = Date.now();
    for await (const info of entriesOf(server, pattern)) {
      total.entries++;
      total.bytes += info.size;
      await (words.has("json")
        ? printJson(infoJson(info))
        : print(lineOf(info, nowMs)));
    }
    if (!words.has("json")) {
      const entries = count(total.entries, "entry", "entries");
      say(`${entries}, ${formatSize(total.bytes)}`);
      if (total.entries === 0 && word !== undefined) {
        const others = await alike(server, word);
        if (others !== undefined) say(others);
      }
    }
    return OK;
  },
};

/** The entries of some namespaces. */
export async function* entriesOf(
  server: Server,
  pattern: Pattern,
): AsyncGenerator<StoredEntry, void, undefined> {
  if (pattern.only !== undefined) return yield* server.list(pattern.only);
  for await (const namespace of server.namespaces()) {
    if (pattern.has(namespace)) yield* server.list(namespace);
  }
}

/** A message is one line. */
const MAX_NAMED = 4;
/** Of so few letters two may be wrong in any word. */
const MIN_SLIP_LENGTH = 4;

/** What there is instead of what holds nothing; `undefined`: nothing like it. */
async function alike(
  server: Server,
  word: string,
): Promise<string | undefined> {
  const name = word.replace(/\.?\*$/, "");
  const found: string[] = [];
  let isBelow = false;
  for await (const namespace of server.namespaces()) {
    const lies = namespace.startsWith(`${name}.`);
    isBelow ||= lies;
    const isNear = name.length > MIN_SLIP_LENGTH && isSlip(name, namespace);
    if (lies || isNear) found.push(namespace);
    if (found.length > MAX_NAMED) break;
  }
  if (found.length === 0) return undefined;
  const names = found.slice(0, MAX_NAMED).join(", ") +
    (found.length > MAX_NAMED ? ", and others" : "");
  const how = isBelow ? `: larder ls '${name}.*' lists all below ${name}` : "";
  return `there is nothing in ${word}, but in ${names}${how}`;
}

// In columns that need not be known before the last entry.
function lineOf(info: StoredEntry, nowMs: number): string {
  const size = info.status === "ready" ? formatSize(info.size) : info.status;
  const age = formatAge(info.accessedMs || info.createdMs, nowMs);
  return `${size.padStart(9)}  ${age.padEnd(11)}  ${info.namespace}  ${
    formatKey(info.key)
  }\n`;
}
