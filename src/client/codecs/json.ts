/**
 * Values as JSON.
 *
 * @module
 */

import { type Codec, codec } from "./codec.ts";
import { checkPlainTree, MAX_DEPTH, nameOf, tooDeep } from "./plain_tree.ts";

/** What JSON can say. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/**
 * Values as JSON in UTF-8.
 *
 * What `JSON.stringify` would drop or change is refused: `undefined`, holes,
 * functions, symbols, `NaN`, infinities, bigints, and class instances such as
 * `Date` or `Map`, `toJSON` or not. One thing is changed all the same: `-0`
 * comes back as `0`.
 *
 * `T` is a promise of yours: what is read is JSON, but nobody looks whether it
 * is a `T`.
 */
export function json<T = JsonValue>(): Codec<T> {
  return codec<T>({
    name: "json",
    encode: (value) => {
      assertJson("json", value);
      return new TextEncoder().encode(JSON.stringify(value));
    },
    decode: (bytes) => {
      checkDepth(bytes);
      return JSON.parse(strictUtf8.decode(bytes)) as T;
    },
  });
}

/**
 * Throws unless `value` is JSON.
 *
 * @throws {CodecError} Names the place: `$.a[3] is NaN, …`.
 */
export function assertJson(codec: string, value: unknown): void {
  checkPlainTree(codec, value, { leaf });
}

/** Bytes that are no UTF-8 are refused; so is a byte order mark, by JSON.parse. */
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Throws when arrays and objects are nested deeper than this codec writes:
 * `JSON.parse` bears any depth, but few who walk what it made of it do.
 */
function checkDepth(bytes: Uint8Array): void {
  let depth = 0;
  let isText = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (isText) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) isText = false;
    } else if (byte === QUOTE) isText = true;
    // [ and {; ] and }. The innermost may be empty.
    else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > MAX_DEPTH + 1) throw tooDeep();
    } else if (byte === 0x5d || byte === 0x7d) depth--;
  }
}

function leaf(value: unknown): string | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return;
    case "number":
      if (Number.isFinite(value)) return;
      break;
    case "object":
      if (value === null) return;
  }
  return `${nameOf(value)}, which JSON cannot say`;
}
