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
import { emptyWord } from "./empty_word.ts";
import { namespaceOf } from "./namespace.ts";
import { hexBytes, type NamedEntry, printedKey } from "./printed_key.ts";
import type { Words } from "../flags/words.ts";

const KEY_OPTIONS = ["key-file", "key-hex", "key-json"] as const;

/** An entry, and the words that are left. */
export interface Named extends NamedEntry {
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
      const printed = printedKey(first!);
      const key = keyBytes(
        printed ? hexBytes(printed.digits) : wordKey(first!),
      );
      return { entry: { namespace, key }, others, printed };
    }
    const key = await optionKey(option, words.needed(option));
    return { entry: { namespace, key }, others: words.positionals };
  } catch (error) {
    if (error instanceof StartError) throw error;
    const where = error instanceof LarderError ? "" : `--${option}: `;
    throw new StartError(2, `${where}${messageOf(error)}`, { cause: error });
  }
}

/** The key that a word is which was not printed. */
function wordKey(word: string): Uint8Array {
  if (word === "") {
    throw emptyWord("KEY", "if that is meant: --key-hex ''");
  }
  if (/^hex:/i.test(word)) {
    throw new StartError(
      2,
      `${word}: after hex: come hexadecimal digits, as ls prints them; text ` +
        "that begins like that is given with --key-file or --key-hex",
    );
  }
  return new TextEncoder().encode(word);
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
  let content: Uint8Array;
  try {
    content = new Uint8Array(await readFile(path));
  } catch (error) {
    throw cannotRead(path, error);
  }
  if (content.length > 0) return content;
  throw new StartError(
    2,
    `--key-file ${path}: it is empty, and so would the key be; if that is ` +
      "meant: --key-hex ''",
  );
}

/** Reads the hexadecimal digits of bytes. */
function fromHex(text: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/i.test(text)) {
    throw new StartError(2, `--key-hex ${text}: two digits a byte, 0 to f`);
  }
  return hexBytes(text);
}
