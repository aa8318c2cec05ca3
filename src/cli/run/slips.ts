/**
 * Words of `larder run` that mean something else than was meant.
 *
 * @module
 */

import { StartError } from "../../errors.ts";
import { emptyWord } from "../empty_word.ts";
import type { Words } from "../../flags/words.ts";

const NAMES = ["out", "key-file", "env"];

/**
 * Refuses a name that is empty, and a variable that is given with its value: the
 * key would not hold what it was to hold, and nobody would hear of it.
 *
 * @throws {StartError} Says what to write.
 */
export function refuseSlips(words: Words): void {
  const empty = NAMES.find((name) => words.all(name).includes(""));
  if (empty !== undefined) {
    throw emptyWord(`--${empty}`);
  }
  const pair = words.all("env").find((name) => name.includes("="));
  if (pair === undefined) return;
  const [name] = pair.split("=");
  throw new StartError(
    2,
    `--env ${pair}: write the name alone, --env ${name}; its value is that of ` +
      `the environment, which ${pair} before larder sets`,
  );
}
