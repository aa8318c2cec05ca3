/**
 * `larder token`: makes tokens, and writes down what may be done with them.
 *
 * @module
 */

import { randomBytes } from "node:crypto";
import { appendFile, readFile } from "node:fs/promises";
import { sha256Hex } from "../../../workers/digest.ts";
import { StartError } from "../../errors.ts";
import type { Command } from "../command.ts";
import { OK } from "../exit_codes.ts";
import { print, say } from "../output.ts";

/** Nobody guesses it, however many try. */
const TOKEN_BYTES = 32;
const RIGHTS = ["read", "write", "admin"] as const;
/** Only its owner may read it, though it holds no token. */
const MODE = 0o600;

/** The command. */
export const token: Command = {
  name: "token",
  usage: "new NAME --file FILE [--read NS] [--write NS] [--admin NS]",
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
    const expiresMs = words.durationMs("expires");
    const rights = RIGHTS.flatMap((right) => {
      const patterns = words.all(right);
      return patterns.length === 0 ? [] : [`${right} = ${listOf(patterns)}`];
    });
    if (rights.length === 0) {
      throw new StartError(
        2,
        "a token without rights is of no use: give --read, --write or --admin",
      );
    }
    const secret = randomBytes(TOKEN_BYTES).toString("base64url");
    const entry = [
      "[[token]]",
      `name = ${JSON.stringify(name)}`,
      `sha256 = "${sha256Hex(secret)}"`,
      ...expiresMs === undefined ? [] : [
        `expires = ${new Date(Date.now() + expiresMs).toISOString()}`,
      ],
      ...rights,
    ];
    await append(path, entry.map((line) => `${line}\n`).join(""));
    say(`${path} says what ${name} may do; this is the token, shown once:`);
    await print(`${secret}\n`);
    return OK;
  },
};

function listOf(patterns: readonly string[]): string {
  return `[${patterns.map((each) => JSON.stringify(each)).join(", ")}]`;
}

async function append(path: string, entry: string): Promise<void> {
  const before = await readFile(path, "utf8").catch(() => "");
  const gap = before === "" ? "" : before.endsWith("\n") ? "\n" : "\n\n";
  await appendFile(path, gap + entry, { mode: MODE });
}
