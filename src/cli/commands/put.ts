/** `larder put`. @module */

import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import process from "node:process";
import { BrokenStream } from "../../client/assignment.ts";
import { CacheError } from "../../client/cache_error.ts";
import type { Source } from "../../client/transfer.ts";
import { StartError } from "../../errors.ts";
import { type Command, ENTRY_OPTIONS, QUIET_OPTION } from "../command.ts";
import { cannotRead } from "../cannot.ts";
import { emptyWord } from "../empty_word.ts";
import { entryOf } from "../entry.ts";
import { FAILED, OK } from "../exit_codes.ts";
import { formatKey, formatSize, toHex } from "../format.ts";
import { interruptible } from "../run/interrupts.ts";
import { printJson, ProgressLine, say } from "../output.ts";
import { addressesOf } from "../addresses.ts";
import { Server } from "../server.ts";
import { UnchangedFile } from "../unchanged_file.ts";

/** Keeps a file, or stdin, as a value. */
export const put: Command = {
  name: "put",
  usage: "--ns NS KEY [FILE|-]",
  summary: "keep a file, or stdin, as a value; one that is there stays",
  options: [
    ...ENTRY_OPTIONS,
    { name: "replace", help: "remove what is there first" },
    {
      name: "ttl",
      argument: "AGE",
      help: "keep it for so long: 12h; then it is not there any more",
    },
    QUIET_OPTION,
  ],
  details: ["While somebody computes the value, it waits for theirs."],
  async run(words) {
    const { entry, others: [path = "-"], printed } = await entryOf(words);
    if (printed?.isCut) {
      throw new StartError(2, "put needs the whole key, not its first digits");
    }
    words.atMost(KEY_AND_FILE - (hasKeyOption(words) ? 1 : 0));
    const isQuiet = words.has("quiet");
    const ttlMs = words.durationMs("ttl");
    if (ttlMs === 0) throw new StartError(2, "--ttl 0: nothing is kept for 0");
    const total = await sizeOf(path);
    return await interruptible(async (interrupts) => {
      await using server = await Server.at(addressesOf(words));
      if (words.has("replace")) await server.delete(entry);
      const claim = await server.cache.ask(
        { ...entry, assign: true, wait: true, ttlMs },
        { signal: interrupts.signal },
      );
      const about = `${entry.namespace} ${formatKey(entry.key)}`;
      if (claim.kind === "unassigned") {
        say(`${about}: not kept: ${claim.reason}`);
        return FAILED;
      }
      let size = 0;
      const isStored = claim.kind === "assigned";
      if (claim.kind === "assigned") {
        using progress = new ProgressLine("larder: put", { isOn: !isQuiet });
        await using held = claim.held;
        const published = held.publish(input(path, total !== undefined), {
          expectedSize: total,
          onProgress({ done, direction }) {
            size = done;
            progress.transfer({ done, direction, total });
          },
        });
        await Promise.race([
          published.catch((error) => {
            throw error instanceof BrokenStream ? cutShort(about) : error;
          }),
          interrupts.rejected(),
        ]);
      } else if (claim.kind === "ready") {
        size = claim.body.size;
        await claim.body.release();
      }
      if (words.has("json")) {
        const { namespace, key } = entry;
        await printJson({
          namespace,
          key_hex: toHex(key),
          size,
          stored: isStored,
        });
      } else if (!isQuiet) {
        say(
          `${about}: ${formatSize(size)} ${
            isStored
              ? "stored"
              : "are there already, and stay; --replace puts yours there"
          }`,
        );
      }
      return OK;
    });
  },
};

const KEY_AND_FILE = 2;

function hasKeyOption(words: Parameters<Command["run"]>[0]): boolean {
  return ["key-file", "key-hex", "key-json"].some((name) => words.has(name));
}

/** What has come through a pipe is in nobody's hands any more. */
function cutShort(about: string): CacheError {
  return new CacheError(
    "failed",
    `${about}: not kept: the connection to the server broke, and what came ` +
      "through the pipe is gone: put it again, or put a FILE, which is sent " +
      "anew by itself",
  );
}

/** In bytes; `undefined`: it is not known before the end. */
async function sizeOf(path: string): Promise<number | undefined> {
  if (path === "-") return undefined;
  if (path === "") {
    throw emptyWord("FILE", "stdin is -");
  }
  try {
    const info = await stat(path);
    if (info.isDirectory()) throw new Error("it is a folder");
    // What is written to a pipe goes to whoever opened it first.
    if (!info.isFile()) return undefined;
    // Before anything is asked of the server.
    await (await open(path, "r")).close();
    return info.size;
  } catch (error) {
    throw cannotRead(path, error);
  }
}

/** A file can be read again when the connection breaks; a pipe cannot. */
function input(path: string, isFile: boolean): Source {
  if (path === "-") return process.stdin;
  if (!isFile) return createReadStream(path);
  const file = new UnchangedFile(path);
  return () => file.read();
}
