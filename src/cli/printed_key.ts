/**
 * Keys as `larder` prints them, given back to it: `hex:` and digits from `ls`,
 * and from `run` the first digits of a hash with an ellipsis.
 *
 * @module
 */

import type { Entry } from "../client/backend.ts";
import { hasCode } from "../client/cache_error.ts";
import { StartError } from "../errors.ts";
import { formatKey, toHex } from "./format.ts";
import type { Server } from "./server.ts";

/** As many digits as `larder run` prints: so many by chance are no other key. */
export const SHORT_KEY_DIGITS = 8;
/** Of a hash: one that is not there is not looked for among longer ones. */
const HASH_DIGITS = 64;

/** `hex:` and digits, or digits with an ellipsis. */
const PRINTED =
  /^(?:hex:(?<all>[0-9a-f]*)|(?:hex:)?(?<first>[0-9a-f]+)(?:…|\.{3}))$/i;
/** A message is one line. */
const MAX_NAMED = 4;

/** A key as it was printed. */
export interface PrintedKey {
  /** Its digits, or the first of them. */
  readonly digits: string;
  /** Whether there is an ellipsis, or half a byte. */
  readonly isCut: boolean;
}

/** What a word means that was printed; `undefined`: it is text. */
export function printedKey(word: string): PrintedKey | undefined {
  const { all, first } = PRINTED.exec(word)?.groups ?? {};
  const digits = (all ?? first)?.toLowerCase();
  if (digits === undefined) return undefined;
  const isCut = first !== undefined || digits.length % 2 !== 0;
  return { digits, isCut };
}

/** The bytes of hexadecimal digits, two each; a last one alone is left out. */
export function hexBytes(digits: string): Uint8Array {
  return Uint8Array.from(
    digits.match(/../g) ?? [],
    (pair) => parseInt(pair, 16),
  );
}

/** What to say of a word that is no key, and looks like the beginning of one. */
export function printedHint(word: string | undefined): string {
  return word !== undefined &&
      new RegExp(`^[0-9a-f]{${SHORT_KEY_DIGITS},}$`, "i")
        .test(word)
    ? `; if these are the first digits of a key: hex:${word}`
    : "";
}

/** An entry as a command line names it. */
export interface NamedEntry {
  /** The entry, if the word means what it says. */
  readonly entry: Entry;
  /** The key as it was printed, if it is given so. */
  readonly printed?: PrintedKey | undefined;
}

/**
 * The entry that is meant: the one with just this key, or else the only one
 * whose key begins with the digits.
 *
 * @throws {StartError} Several do; or none does, and the last digit is half a
 * byte, so that the digits alone are no key.
 */
export async function entryFor(
  server: Pick<Server, "stat" | "list">,
  { entry, printed }: NamedEntry,
): Promise<Entry> {
  if (printed === undefined) return entry;
  const { digits, isCut } = printed;
  const isHalf = digits.length % 2 !== 0;
  if (!isHalf && (digits === "" || digits.length >= HASH_DIGITS)) return entry;
  const { namespace } = entry;
  try {
    if (!isCut && await server.stat(entry)) return entry;
    const found = await beginningWith(server, namespace, digits);
    if (found.length > 1) throw notUnique(digits, found);
    if (found[0] !== undefined) return found[0];
    // What the whole bytes before it name is another key.
    if (isHalf) {
      throw new StartError(1, `${namespace} hex:${digits}…: not there`);
    }
    return entry;
  } catch (error) {
    if (!hasCode(error, "unimplemented")) throw error;
    // An original server lists nothing: the word means what it says.
    if (!isHalf) return entry;
    throw new StartError(
      2,
      `hex:${digits}: half a byte too little for a key, and an original ` +
        "server does not list those that begin so: give all of its digits",
    );
  }
}

async function beginningWith(
  server: Pick<Server, "list">,
  namespace: string,
  digits: string,
): Promise<Entry[]> {
  const found: Entry[] = [];
  for await (const { key } of server.list(namespace)) {
    const hex = toHex(key);
    if (hex.startsWith(digits)) found.push({ namespace, key });
    // They come in the order of their bytes, which is that of the digits.
    else if (hex > digits) break;
    if (found.length > MAX_NAMED) break;
  }
  return found;
}

function notUnique(digits: string, found: readonly Entry[]): StartError {
  const names = found.slice(0, MAX_NAMED).map(({ key }) => formatKey(key));
  const more = found.length > MAX_NAMED ? ", and others" : "";
  return new StartError(
    2,
    `several keys begin with ${digits}: ${
      names.join(", ")
    }${more}; give more ` +
      "of the digits, as hex:…",
  );
}
