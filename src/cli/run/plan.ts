/**
 * What `larder run` is to do: the command, what its output depends on, and the
 * key that all this comes to.
 *
 * @module
 */

import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";
import { Sha256 } from "../../../workers/digest.ts";
import type { Entry } from "../../client/backend.ts";
import { keyBytes } from "../../client/keys.ts";
import { StartError } from "../../errors.ts";
import { cannotRead } from "../cannot.ts";
import type { Words } from "../words.ts";

/** Of the key and of what is kept; another one is another entry. */
const FORMAT = "larder run 1";

/** A command to be run once. */
export interface Plan {
  /** What its output is kept as. */
  readonly entry: Entry;
  /** The program and its arguments. */
  readonly command: readonly [string, ...string[]];
  /** The files that it writes, as they were named. */
  readonly outs: readonly string[];
}

/**
 * Makes the plan.
 *
 * @throws {StartError} The words are wrong, or a key file cannot be read.
 */
export async function planOf(words: Words): Promise<Plan> {
  const namespace = words.needed("ns");
  const [stray] = words.positionals;
  if (stray !== undefined) {
    throw new StartError(2, `write -- before the command: ... -- ${stray}`);
  }
  const [program, ...args] = words.rest;
  if (program === undefined) {
    throw new StartError(2, "which command? Write it after --");
  }
  if (program === "") throw new StartError(2, "the command has no name");
  const outs = words.all("out");
  if (new Set(outs.map((path) => resolve(path))).size !== outs.length) {
    throw new StartError(2, "--out: a file is named twice");
  }
  const files = [];
  for (const name of words.all("key-file")) {
    files.push({ name, sha256: await hashOf(name) });
  }
  const key = keyBytes({
    format: FORMAT,
    command: [program, ...args],
    files,
    keys: [...words.all("key")],
    env: words.all("env").map((name) => [name, process.env[name] ?? null]),
    outs: [...outs],
  });
  return { entry: { namespace, key }, command: [program, ...args], outs };
}

async function hashOf(path: string): Promise<string> {
  const hash = new Sha256();
  try {
    for await (const piece of createReadStream(path)) hash.update(piece);
  } catch (error) {
    throw cannotRead(path, error);
  }
  return hash.hex();
}
