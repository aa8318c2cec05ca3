/**
 * What `larder run` is to do: the command, what its output depends on, and the
 * key that all this comes to.
 *
 * @module
 */

import process from "node:process";
import type { Entry } from "../../client/backend.ts";
import { keyBytes } from "../../client/keys.ts";
import { messageOf, StartError } from "../../errors.ts";
import { NO_UTF8, type Words } from "../words.ts";
import { inputIfThere, inputListed, inputNamed } from "./inputs/find.ts";
import type { Input } from "./inputs/input.ts";
import { Obstacle } from "./inputs/listing.ts";
import { checkOuts, type Needed } from "./overlaps.ts";
import { outsOf } from "./outs.ts";
import { namespaceOf } from "../namespace.ts";
import { refuseSlips } from "./slips.ts";

/** Of the key and of what is kept; another one is another entry. */
const FORMAT = "larder run 3";

/** A command to be run once. */
export interface Plan {
  /** What its output is kept as. */
  readonly entry: Entry;
  /** The program and its arguments. */
  readonly command: readonly [string, ...string[]];
  /** The files that it writes, as they were named. */
  readonly outs: readonly string[];
  /** Whether it finds the outs that are there: they are part of the key then. */
  readonly keepsOuts: boolean;
  /** The key files, folders, patterns and lists. */
  readonly inputs: readonly Input[];
  /** All that the key depends on: these, and the outs that it finds. */
  readonly found: readonly Input[];
  /** Why no key says what the output depends on; `undefined`: this one does. */
  readonly obstacle: string | undefined;
}

/**
 * Makes the plan.
 *
 * @throws {StartError} The words are wrong, or a key file cannot be read.
 */
export async function planOf(words: Words): Promise<Plan> {
  refuseSlips(words);
  const namespace = namespaceOf(words);
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
  const keyFiles = words.all("key-file");
  const { inputs, obstacle } = await inputsOf(words);
  const held = inputs.flatMap(({ listing }) => listing.held);
  const unseen = await obstacleOf(outs, { keyFiles, held, program });
  const keepsOuts = words.has("keep-outs");
  const old: Input[] = [];
  if (keepsOuts) { for (const out of outs) old.push(await inputIfThere(out)); }
  const env = words.all("env").map((name) => [name, variable(name)] as const);
  const garbled = env.find(([, value]) => value?.includes(NO_UTF8));
  const key = keyBytes({
    format: FORMAT,
    command: [program, ...args],
    files: inputs.map(({ forKey }) => forKey),
    keys: [...words.all("key")],
    env: env.map((pair) => [...pair]),
    outs: [...outs],
    ...keepsOuts ? { old: old.map(({ forKey }) => forKey) } : {},
  });
  return {
    entry: { namespace, key },
    command: [program, ...args],
    outs,
    keepsOuts,
    inputs,
    found: [...inputs, ...old],
    obstacle: garbled
      ? `the value of ${garbled[0]} is not UTF-8`
      : obstacle ?? unseen,
  };
}

/**
 * Why nobody can tell where the outs are: no fault of the command line's.
 *
 * @throws {StartError} They must not be written.
 */
async function obstacleOf(
  outs: readonly string[],
  needed: Needed,
): Promise<string | undefined> {
  try {
    await checkOuts(await outsOf(outs), needed);
    return undefined;
  } catch (error) {
    if (error instanceof StartError) throw error;
    return `--out: ${messageOf(error)}`;
  }
}

/**
 * The inputs, and why not all that they hold can be told, if so.
 *
 * @throws {StartError} One of them cannot be read.
 */
async function inputsOf(
  words: Words,
): Promise<{ inputs: readonly Input[]; obstacle: string | undefined }> {
  const inputs: Input[] = [];
  let obstacle: string | undefined;
  const add = async (input: Promise<Input>) => {
    try {
      inputs.push(await input);
    } catch (error) {
      if (!(error instanceof Obstacle)) throw error;
      obstacle = error.message;
    }
  };
  for (const name of words.all("key-file")) await add(inputNamed(name));
  for (const list of words.all("key-files-from")) await add(inputListed(list));
  return { inputs, obstacle };
}

function variable(name: string): string | null {
  try {
    return process.env[name] ?? null;
  } catch {
    // Deno gives no altered value, but none.
    return NO_UTF8;
  }
}
