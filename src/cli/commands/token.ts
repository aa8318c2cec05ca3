/**
 * `larder token`: makes tokens, and writes down what may be done with them.
 *
 * @module
 */

import { randomBytes } from "node:crypto";
import { fstatSync } from "node:fs";
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
/** Only their owner may read either file, though one holds no token. */
const MODE = 0o600;
/** What everybody else may do with a file. */
const OTHERS = 0o077;
const STDOUT = 1;

/** The command. */
export const token: Command = {
  name: "token",
  usage: "new NAME --file FILE [--out TOKENFILE] RIGHT...",
  isAlone: true,
  summary: "make a token that says who a client is, for --access of a server",
  details: [
    "TOKENFILE gets the token, which is nowhere else, and is made so that only",
    "you can read it. FILE gets its SHA-256, its name and its rights, and is what",
    "the server is started with: --access FILE. A server that runs takes it",
    "within 10 s.",
    "",
    "RIGHT is --read NS, --write NS, --admin NS or --watch; NS is a namespace,",
    '"a.*" for all below a, or "*" for all. More of them: --write a --write b.',
    "write includes read, and admin both.",
  ],
  options: [
    { name: "file", argument: "FILE", help: "gets the entry; made if missing" },
    {
      name: "out",
      argument: "TOKENFILE",
      help: "gets the token; must not be there yet (default: print the token)",
    },
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
    const [verb, name, extra] = words.positionals;
    if (extra !== undefined) {
      throw new StartError(
        2,
        `${extra} is one word too many: of several namespaces each has its own ` +
          "flag, --read a --read b",
      );
    }
    if (verb !== "new" || name === undefined) {
      throw new StartError(
        2,
        "write larder token new NAME --file FILE --out TOKENFILE",
      );
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
    const out = words.text("out");
    const what = `${path} says what ${name} may do`;
    const made = before === "" ? [path] : [];
    try {
      // Before anybody may use it: where it cannot be kept, nobody can.
      if (out === undefined) {
        await show(secret, what);
      } else {
        await keep(secret, out);
        made.push(out);
      }
      await file.appendFile(gap + entry);
      if (out !== undefined) say(`${what}; its token is in ${out}`);
    } catch (error) {
      // Without the other one, what was made is of no use.
      for (const each of made) await rm(each, { force: true });
      throw error;
    } finally {
      await file.close();
    }
    return OK;
  },
};

/**
 * Makes a file that nobody else could read at any time, and that was nobody's
 * before: a mode that is set later is too late for whoever has opened it.
 */
async function keep(secret: string, path: string): Promise<void> {
  try {
    const file = await open(path, "wx", MODE);
    try {
      await file.writeFile(`${secret}\n`);
      await file.sync();
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    } finally {
      await file.close();
    }
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

async function show(secret: string, what: string): Promise<void> {
  const stdout = fstatSync(STDOUT);
  if (stdout.isFile() && (stdout.mode & OTHERS) !== 0) {
    say("others may read the file that gets the token: use --out TOKENFILE");
  }
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
