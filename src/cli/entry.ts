/**
 * Which entry the words of a command line mean.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import type { Entry } from "../client/backend.ts";
import type { JsonValue } from "../client/codecs/json.ts";
import { keyBytes } from "../client/keys.ts";
import { LarderError, messageOf, StartError } from "../errors.ts";
import { cannotRead } from "./cannot.ts";
import { namespaceOf } from "./namespace.ts";
import type { Words } from "./words.ts";

const KEY_OPTIONS = ["key-file", "key-hex", "key-json"] as const;

/** An entry, and the words that are left. */
export interface Named {
  /** The namespace and the key's bytes. */
  readonly entry: Entry;
  /** The positional words without the key. */
  readonly others: readonly string[];
}

/**
 * Finds the namespace and the key.
 *
 * @throws {StartError} None is given, or two are, or it is none.
 */
export async function entryOf(words: Words): Promise<Named> {
  const namespace = namespaceOf(words);
  const given = KEY_OPTIONS.filter((name) => words.has(name));
  if (given.length > 1) {
    throw new StartError(2, `--${given[0]} or --${given[1]}: one key only`);
  }
  const [first, ...others] = words.positionals;
  const [option] = given;
  if (option === undefined && first === undefined) {
    throw new StartError(
      2,
      "which key? Give KEY, --key-file, --key-hex or --key-json",
    );
  }
  try {
    if (option === undefined) {
      const key = keyBytes(new TextEncoder().encode(first));
      return { entry: { namespace, key }, others };
    }
    const key = await optionKey(option, words.needed(option));
    return { entry: { namespace, key }, others: words.positionals };
  } catch (error) {
    if (error instanceof StartError) throw error;
    const where = error instanceof LarderError ? "" : `--${option}: `;
    throw new StartError(2, `${where}${messageOf(error)}`, { cause: error });
  }
}

async function optionKey(
  option: typeof KEY_OPTIONS[number],
  text: string,
): Promise<Uint8Array> {
  switch (option) {
    case "key-file":
      return keyBytes(await contentOf(text));
    case "key-hex":
      return keyBytes(fromHex(text));
    case "key-json":
      return keyBytes(JSON.parse(text) as JsonValue);
  }
}

async function contentOf(path: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (error) {
    throw cannotRead(path, error);
  }
}

/** Reads the hexadecimal digits of bytes. */
function fromHex(text: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/i.test(text)) {
    throw new StartError(2, `--key-hex ${text}: two digits a byte, 0 to f`);
  }
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
