/**
 * `larder token`: makes tokens, and writes down what may be done with them.
 *
 * @module
 */

import { randomBytes } from "node:crypto";
import { open, readFile, rm } from "node:fs/promises";
import { sha256Hex } from "../../../workers/digest.ts";
import { parseRules } from "../../access/rules.ts";
import { StartError } from "../../errors.ts";
import { cannotRead, cannotWrite } from "../cannot.ts";
import type { Command } from "../command.ts";
import { OK } from "../exit_codes.ts";
import { print, say } from "../output.ts";
import type { Words } from "../../flags/words.ts";

/** Nobody guesses it, however many try. */
const TOKEN_BYTES = 32;
/** Its server may take 10 s to know of it. */
const MIN_EXPIRY_MS = 60_000;
const RIGHTS = ["read", "write", "admin"] as const;
/** Only its owner may read it, though it holds no token. */
const MODE = 0o600;

/** The command. */
export const token: Command = {
  name: "token",
  usage: "new NAME --file FILE [--read NS] [--write NS] [--admin NS] [--watch]",
  isAlone: true,
  summary: "make a token that says who a client is, for --access of a server",
  details: [
    "The token is printed, and nowhere else. FILE gets its SHA-256, its name and",
    "its rights, and is what the server is started with: --access FILE. A server",
    "that runs takes it within 10 s.",
    "",
    'NS is a namespace, "a.*" for all below a, or "*" for all; more of them:',
    "--write a --write b. write includes read, and admin both.",
  ],
  options: [
    { name: "file", argument: "FILE", help: "gets the entry; made if missing" },
    {
      name: "read",
      argument: "NS",
      isMany: true,
      help: "may read and wait there",
    },
    {
      name: "write",
      argument: "NS",
      isMany: true,
      help: "may compute and publish there",
    },
    {
      name: "admin",
      argument: "NS",
      isMany: true,
      help: "may remove there, and see who works",
    },
    {
      name: "watch",
      help: "may see status, metrics and the page, and no value",
    },
    {
      name: "expires",
      argument: "D",
      help: "for how long it is good: 30d, 12h (default: for ever)",
    },
  ],
  async run(words) {
    words.atMost(2);
    const [verb, name] = words.positionals;
    if (verb !== "new" || name === undefined) {
      throw new StartError(2, "write larder token new NAME --file FILE");
    }
    const path = words.needed("file");
    const secret = randomBytes(TOKEN_BYTES).toString("base64url");
    const entry = entryOf({ name, secret }, words);
    check(entry, (why) => why.replace(/^token 1: /, ""));
    const before = await textOf(path);
    const gap = before === "" ? "" : before.endsWith("\n") ? "\n" : "\n\n";
    // A server takes the whole file, or nothing of it.
    check(
      before + gap + entry,
      (why) => `${path} is no file of rights: ${why}`,
    );
    const file = await open(path, "a", MODE).catch((error) => {
      throw cannotWrite(path, error);
    });
    try {
      await give(`${path} says what ${name} may do`, secret);
      await file.appendFile(gap + entry);
    } catch (error) {
      // One that was made for it is of no use: nobody has got the token.
      if (before === "") await rm(path, { force: true });
      throw error;
    } finally {
      await file.close();
    }
    return OK;
  },
};

/** Shows the token, before anybody may use it: where that fails, nobody can. */
async function give(what: string, secret: string): Promise<void> {
  say(`${what}; this is the token, shown once:`);
  await print(`${secret}\n`);
}

function entryOf(
  { name, secret }: { readonly name: string; readonly secret: string },
  words: Words,
): string {
  const expiresMs = words.durationMs("expires");
  if (expiresMs !== undefined && expiresMs < MIN_EXPIRY_MS) {
    throw new StartError(
      2,
      `--expires ${words.text("expires")}: too short: a server takes the ` +
        "entry within 10 s; 1m at least",
    );
  }
  const rights = RIGHTS.flatMap((right) => {
    const patterns = words.all(right);
    return patterns.length === 0 ? [] : [`${right} = ${listOf(patterns)}`];
  });
  if (words.has("watch")) rights.push("watch = true");
  if (rights.length === 0) {
    throw new StartError(
      2,
      "a token without rights is of no use: give --read, --write, --admin or " +
        "--watch",
    );
  }
  const lines = [
    "[[token]]",
    `name = ${JSON.stringify(name)}`,
    `sha256 = "${sha256Hex(secret)}"`,
    ...expiresMs === undefined ? [] : [
      `expires = ${new Date(Date.now() + expiresMs).toISOString()}`,
    ],
    ...rights,
  ];
  return lines.map((line) => `${line}\n`).join("");
}

function listOf(patterns: readonly string[]): string {
  return `[${patterns.map((each) => JSON.stringify(each)).join(", ")}]`;
}

/** Reads a text as its server would; nothing has been written yet. */
function check(text: string, inWords: (why: string) => string): void {
  try {
    parseRules(text);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    const message = `${inWords(error.message)}; nothing was written`;
    throw new StartError(2, message, { cause: error });
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return "";
    throw cannotRead(path, error);
  }
}
