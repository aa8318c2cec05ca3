/** `larder ls`. @module */

import type { Command } from "../command.ts";
import { OK } from "../exit_codes.ts";
import { count, formatAge, formatKey, formatSize } from "../format.ts";
import { infoJson } from "../info_json.ts";
import { print, printJson, say } from "../output.ts";
import { addressesOf } from "../addresses.ts";
import { type Info, Server } from "../server.ts";

/** Lists entries. */
export const ls: Command = {
  name: "ls",
  usage: "[NS]",
  summary: "the entries of a namespace, or of all",
  options: [],
  details: ["With --json each entry is one line."],
  async run(words) {
    words.atMost(1);
    await using server = await Server.at(addressesOf(words));
    const total = { entries: 0, bytes: 0 };
    const nowMs = Date.now();
    for await (const info of entriesOf(server, words.positionals[0])) {
      total.entries++;
      total.bytes += info.size;
      await (words.has("json")
        ? printJson(infoJson(info))
        : print(lineOf(info, nowMs)));
    }
    if (!words.has("json")) {
      const entries = count(total.entries, "entry", "entries");
      say(`${entries}, ${formatSize(total.bytes)}`);
    }
    return OK;
  },
};

/** The entries of one namespace, or of all that hold ready ones. */
export async function* entriesOf(
  server: Server,
  namespace: string | undefined,
): AsyncGenerator<Info, void, undefined> {
  if (namespace !== undefined) return yield* server.list(namespace);
  for await (const namespace of server.namespaces()) {
    yield* server.list(namespace);
  }
}

// In columns that need not be known before the last entry.
function lineOf(info: Info, nowMs: number): string {
  const size = info.status === "ready" ? formatSize(info.size) : info.status;
  const age = formatAge(info.accessedMs || info.createdMs, nowMs);
  return `${size.padStart(9)}  ${age.padEnd(11)}  ${info.namespace}  ${
    formatKey(info.key)
  }\n`;
}
