/** `larder get`. @module */

import process from "node:process";
import type { Body } from "../../client/backend.ts";
import { counted } from "../../client/transfer.ts";
import { StartError } from "../../errors.ts";
import { type Command, ENTRY_OPTIONS, QUIET_OPTION } from "../command.ts";
import { emptyWord } from "../empty_word.ts";
import { entryOf } from "../entry.ts";
import { FAILED, OK } from "../exit_codes.ts";
import { formatKey, formatSize, toHex } from "../format.ts";
import { interruptible } from "../run/interrupts.ts";
import { print, printJson, ProgressLine, say } from "../output.ts";
import { replaceFile } from "../replace_file.ts";
import { textOnly } from "../terminal.ts";
import { addressesOf } from "../addresses.ts";
import { entryFor, printedHint } from "../printed_key.ts";
import { Server } from "../server.ts";

/** Prints a value, or writes it to a file. */
export const get: Command = {
  name: "get",
  usage: "--ns NS KEY [-o FILE]",
  summary: "print a value; exit code 1 if it is not there",
  options: [
    ...ENTRY_OPTIONS,
    {
      name: "output",
      short: "o",
      argument: "FILE",
      help: "write the value there, and only when it is whole; - is stdout, " +
        "also a terminal, which is sent nothing but text otherwise",
    },
    { name: "wait", help: "wait while somebody computes it" },
    QUIET_OPTION,
  ],
  details: ["With --json and -o FILE it prints what it has written."],
  async run(words) {
    const named = await entryOf(words);
    words.atMost(words.positionals.length - named.others.length);
    refuseFolder(words.own("output"));
    const isQuiet = words.has("quiet");
    return await interruptible(async ({ signal }) => {
      await using server = await Server.at(addressesOf(words));
      const entry = await entryFor(server, named);
      const claim = await server.cache.ask(
        { ...entry, assign: false, wait: words.has("wait") },
        { signal },
      );
      if (claim.kind !== "ready") {
        const why = claim.kind === "loading"
          ? "being computed"
          : `not there${printedHint(words.positionals[0])}`;
        if (!isQuiet) say(`${entry.namespace} ${formatKey(entry.key)}: ${why}`);
        return FAILED;
      }
      const { body } = claim;
      const path = words.text("output") ?? "-";
      const isNamed = words.has("output");
      await saveTo(path, body, { isNamed, isQuiet, signal });
      if (path === "-") return OK;
      if (words.has("json")) {
        await printJson({
          namespace: entry.namespace,
          key_hex: toHex(entry.key),
          size: body.size,
          path,
        });
      } else if (!isQuiet) say(`${path}: ${formatSize(body.size)}`);
      return OK;
    });
  },
};

/** Before anything is asked for: what is no name of a file. */
function refuseFolder(path: string | undefined): void {
  if (path === "") {
    throw emptyWord("--output", "stdout is -");
  }
  if (!path?.endsWith("/")) return;
  throw new StartError(
    2,
    `--output ${path}: a folder's name; the value becomes a file: ${path}NAME`,
  );
}

async function saveTo(
  path: string,
  body: Body,
  { isNamed, isQuiet, signal }: {
    /** Whether the user has said where it goes. */
    readonly isNamed: boolean;
    readonly isQuiet: boolean;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  // On a terminal, the value and the progress would be in one another's way.
  const isOn = !isQuiet && (path !== "-" || process.stdout.isTTY !== true);
  using progress = new ProgressLine("larder: get", { isOn });
  const about = { direction: "in", total: body.size } as const;
  const pieces = counted(body.chunks(), about, (state) => {
    // Files of a local server know nothing of the signal.
    signal.throwIfAborted();
    progress.transfer(state);
  });
  try {
    if (path === "-") {
      const shown = !isNamed && process.stdout.isTTY === true
        ? textOnly(pieces)
        : pieces;
      for await (const piece of shown) await print(piece);
      return;
    }
    await replaceFile(path, pieces);
  } finally {
    await body.release();
  }
}
