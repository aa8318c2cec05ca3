/**
 * `larder rm` of many values at once.
 *
 * @module
 */

import type { Selection } from "../client/catalog.ts";
import { StartError } from "../errors.ts";
import { addressesOf } from "./addresses.ts";
import { emptyWord } from "./empty_word.ts";
import { OK } from "./exit_codes.ts";
import { count, formatSize } from "./format.ts";
import { type Pattern, patternOf } from "./namespace.ts";
import { print, printJson, ProgressLine } from "./output.ts";
import { hexBytes, printedKey } from "./printed_key.ts";
import { Server } from "./server.ts";
import type { Option, Words } from "../flags/words.ts";

/** What says which values, beside a key. */
export const SELECTION_OPTIONS: readonly Option[] = [
  { name: "all", help: "all values of the namespace" },
  {
    name: "prefix",
    argument: "TEXT",
    help: "those whose keys begin with it; or hex: and digits, as ls prints",
  },
  {
    name: "older-than",
    argument: "AGE",
    help: "those that were published so long ago: 30d, 12h",
  },
  {
    name: "unread-for",
    argument: "AGE",
    help: "those that nobody has read for so long",
  },
  { name: "dry-run", help: "with these: count them, and remove nothing" },
];

const SELECTING = ["all", "prefix", "older-than", "unread-for"] as const;

/** Whether the words name values by anything but a key. */
export function isSelection(words: Words): boolean {
  const isSelected = SELECTING.some((name) => words.has(name));
  if (isSelected || !words.has("dry-run")) return isSelected;
  throw new StartError(
    2,
    "--dry-run counts what many keys match: give --all, --prefix, " +
      "--older-than or --unread-for",
  );
}

/**
 * Removes them, a page after the other.
 *
 * @throws {StartError} A key is given, too.
 */
export async function removeSelected(words: Words): Promise<number> {
  refuseKey(words);
  if (words.has("all") && words.has("prefix")) {
    throw new StartError(2, "--all and --prefix: all, or those, not both");
  }
  const selection = selectionOf(words);
  const pattern = patternOf(words.needed("ns"));
  const { dryRun = false } = selection;
  const isJson = words.has("json");
  await using server = await Server.at(addressesOf(words));
  const sum = { entries: 0, bytes: 0, inUse: 0 };
  using progress = new ProgressLine("larder: rm", {
    isOn: !isJson && !words.has("quiet"),
  });
  for await (const namespace of namespacesOf(server, pattern)) {
    const pages = server.cache.catalog.remove(namespace, selection, {});
    for await (const { entries, bytes, inUse } of pages) {
      sum.entries += entries;
      sum.bytes += bytes;
      sum.inUse += inUse;
      progress.show(count(sum.entries, "entry", "entries"));
    }
  }
  progress[Symbol.dispose]();
  const { entries, bytes, inUse } = sum;
  if (isJson) {
    await printJson({ entries, bytes, in_use: inUse, dry_run: dryRun });
  } else if (!words.has("quiet")) {
    const what = dryRun ? "would be removed" : "removed";
    const stay = inUse === 0
      ? ""
      : `; ${
        count(inUse, "entry stays, as it is", "entries stay, as they are")
      } being read or computed`;
    await print(
      `${count(entries, "entry", "entries")} ${what}, ${
        formatSize(bytes)
      }${stay}\n`,
    );
  }
  return OK;
}

function refuseKey(words: Words): void {
  const option = ["key-file", "key-hex", "key-json"].find((name) =>
    words.has(name)
  );
  const [word] = words.positionals;
  if (option === undefined && word === undefined) return;
  throw new StartError(
    2,
    `${word ?? `--${option}`}: give one key, or what many keys have in ` +
      "common, not both; a namespace is given by --ns",
  );
}

function selectionOf(words: Words): Selection {
  const prefix = prefixOf(words.text("prefix"));
  const olderThanMs = words.durationMs("older-than");
  const unreadForMs = words.durationMs("unread-for");
  return {
    ...prefix !== undefined && { prefix },
    ...olderThanMs !== undefined && { olderThanMs },
    ...unreadForMs !== undefined && { unreadForMs },
    dryRun: words.has("dry-run"),
  };
}

/** What keys begin with, as text or as it was printed. */
function prefixOf(text: string | undefined): Uint8Array | undefined {
  if (text === undefined) return undefined;
  if (text === "") {
    throw emptyWord("--prefix", "of all values it is --all");
  }
  const digits = printedKey(text)?.digits;
  if (digits === undefined && !/^hex:/i.test(text)) {
    return new TextEncoder().encode(text);
  }
  if (!digits || digits.length % 2 !== 0) {
    throw new StartError(
      2,
      `--prefix ${text}: after hex: come two digits a byte, as ls prints them`,
    );
  }
  return hexBytes(digits);
}

/** The namespaces that a pattern names, as far as they hold anything. */
async function* namespacesOf(
  server: Server,
  pattern: Pattern,
): AsyncGenerator<string, void, undefined> {
  if (pattern.only !== undefined) return yield pattern.only;
  for await (const namespace of server.namespaces()) {
    if (pattern.has(namespace)) yield namespace;
  }
}
