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
import { NO_UTF8, type Words } from "../../flags/words.ts";
import { inputIfThere, inputListed, inputNamed } from "./inputs/find.ts";
import type { Input } from "./inputs/input.ts";
import { Obstacle } from "./inputs/listing.ts";
import { checkOuts, type Needed } from "./overlaps.ts";
import { outsOf } from "./outs.ts";
import type { Stdin } from "./stdin.ts";
import { namespaceOf } from "../namespace.ts";
import { refuseSlips } from "./slips.ts";
import { workingFolder } from "../working_folder.ts";

/** Of the key and of what is kept; another one is another entry. */
const FORMAT = "larder run 3";

/** What a key depends on, beside files. */
export interface KeyWords {
  readonly command: readonly [string, ...string[]];
  readonly keys: readonly string[];
  readonly env: readonly (readonly [string, string | null])[];
  /** The hash of it; `undefined`: there is none. */
  readonly stdin: string | undefined;
}

/** A command to be run once. */
export interface Plan {
  /** What its output is kept as. */
  readonly entry: Entry;
  /** The program and its arguments. */
  readonly command: readonly [string, ...string[]];
  /** What is on its stdin; `undefined`: it has none. */
  readonly stdin: Stdin | undefined;
  /** What the key depends on, beside files. */
  readonly words: KeyWords;
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
 * @param words What was written.
 * @param stdin What the command is to have as its stdin.
 * @throws {StartError} The words are wrong, or a key file cannot be read.
 */
export async function planOf(
  words: Words,
  stdin?: Stdin,
): Promise<Plan> {
  refuseSlips(words);
  const namespace = namespaceOf(words);
  const command = commandOf(words);
  const [program] = command;
  const outs = words.all("out");
  const keyFiles = words.all("key-file");
  const { inputs, old, obstacle } = await inputsOf(words);
  const held = inputs.flatMap(({ listing }) => listing.held);
  const unseen = await obstacleOf(outs, { keyFiles, held, program });
  const keepsOuts = words.has("keep-outs");
  const env = words.all("env").map((name) => [name, variable(name)] as const);
  const garbled = env.find(([, value]) => value?.includes(NO_UTF8));
  const key = keyBytes({
    format: FORMAT,
    command: [...command],
    files: inputs.map(({ forKey }) => forKey),
    keys: [...words.all("key")],
    env: env.map((pair) => [...pair]),
    outs: [...outs],
    ...stdin ? { stdin: stdin.sha256 } : {},
    ...keepsOuts ? { old: old.map(({ forKey }) => forKey) } : {},
  });
  return {
    entry: { namespace, key },
    command,
    stdin,
    words: { command, keys: words.all("key"), env, stdin: stdin?.sha256 },
    outs,
    keepsOuts,
    inputs,
    found: [...inputs, ...old],
    obstacle: workingFolder() === undefined
      ? "the name of the working folder is not UTF-8"
      : garbled
      ? `the value of ${garbled[0]} is not UTF-8`
      : obstacle ?? unseen,
  };
}

/**
 * The program and its arguments.
 *
 * @throws {StartError} There is none.
 */
export function commandOf(words: Words): readonly [string, ...string[]] {
  const [stray] = words.positionals;
  if (stray !== undefined) {
    throw new StartError(2, `write -- before the command: ... -- ${stray}`);
  }
  const [program, ...args] = words.rest;
  if (program === undefined) {
    throw new StartError(2, "which command? Write it after --");
  }
  if (program === "") throw new StartError(2, "the command has no name");
  return [program, ...args];
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

/** What a key depends on, beside words. */
interface Inputs {
  readonly inputs: readonly Input[];
  /** The outs that the command finds. */
  readonly old: readonly Input[];
  /** Why not all that they hold can be told; `undefined`: it can. */
  readonly obstacle: string | undefined;
}

/** Throws {@linkcode StartError} if one of them cannot be read. */
async function inputsOf(words: Words): Promise<Inputs> {
  const inputs: Input[] = [];
  const old: Input[] = [];
  let obstacle: string | undefined;
  const add = async (to: Input[], input: Promise<Input>) => {
    try {
      to.push(await input);
    } catch (error) {
      if (!(error instanceof Obstacle)) throw error;
      obstacle = error.message;
    }
  };
  for (const name of words.all("key-file")) await add(inputs, inputNamed(name));
  for (const list of words.all("key-files-from")) {
    await add(inputs, inputListed(list));
  }
  if (words.has("keep-outs")) {
    for (const out of words.all("out")) await add(old, inputIfThere(out));
  }
  return { inputs, old, obstacle };
}

function variable(name: string): string | null {
  try {
    return process.env[name] ?? null;
  } catch {
    // Deno gives no altered value, but none.
    return NO_UTF8;
  }
}
