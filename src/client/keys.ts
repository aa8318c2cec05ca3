/**
 * The keys of entries: bytes, or a value whose hash they are.
 *
 * @module
 */

import canonicalize from "canonicalize";
import { sha256 } from "../../workers/digest.ts";
import { LarderError } from "../errors.ts";
import { clipped, formatKey } from "../key_text.ts";
import { MAX_KEY_BYTES } from "../limits.ts";
import { CodecError } from "./codecs/codec.ts";
import { flexbuffers } from "./codecs/flexbuffers.ts";
import { assertJson, type JsonValue } from "./codecs/json.ts";

/**
 * An object of any interface. What is no JSON for certain, as a `Date`, a `Map`, a
 * function or a promise, does not fit; the rest is found when the key is made.
 */
export interface KeyObject {
  /** Maps, sets, promises. */
  readonly [Symbol.toStringTag]?: never;
  /** Dates. */
  readonly [Symbol.toPrimitive]?: never;
  /** Functions and classes. */
  readonly [Symbol.hasInstance]?: never;
  /** Regular expressions. */
  readonly [Symbol.match]?: never;
}

/**
 * What a client may give as a key: bytes as they are, or JSON to be hashed. What
 * lies within objects is looked at when the key is made.
 */
export type KeyInput =
  | Uint8Array
  | JsonValue
  | { readonly [name: string]: unknown }
  | (object & KeyObject);

/**
 * The bytes of a key.
 *
 * Bytes are used as they are. A JSON value is written in its canonical form
 * (RFC 8785, JCS) and hashed, so that every program that does the same has the
 * same key:
 *
 * - the order of the members of objects does not matter;
 * - `1.0` and `1` are one number, and so are `-0` and `0`;
 * - strings are not normalised: `"\u00e9"` and `"e\u0301"` are two keys;
 * - `undefined`, holes, `NaN`, infinities, bigints, class instances, and strings
 *   with half a surrogate pair are refused, not dropped.
 *
 * ```ts
 * import { keyBytes } from "./keys.ts";
 *
 * const key = keyBytes({ model: "small", text: "hello" });
 * if (key.length !== 32) throw new Error("no SHA-256");
 * ```
 *
 * @returns The bytes themselves, or the 32 bytes of a SHA-256.
 * @throws {LarderError} "key-too-large": more bytes than a server takes.
 * @throws {CodecError} The value is not JSON; the error says where.
 */
export function keyBytes(input: KeyInput): Uint8Array {
  if (!(input instanceof Uint8Array)) {
    return sha256(canonicalJson(input as JsonValue));
  }
  if (input.length <= MAX_KEY_BYTES) return input;
  throw new LarderError(
    "key-too-large",
    `a key of ${input.length} bytes is larger than ${MAX_KEY_BYTES}; use a hash of it`,
  );
}

/** A key in a message, as its program knows it, and not as the hash of it. */
export function formatKeyInput(input: KeyInput): string {
  return clipped(
    input instanceof Uint8Array
      ? formatKey(input)
      : canonicalJson(input as JsonValue),
  );
}

/**
 * The key that a Rust client makes of the same value: the SHA-256 of its
 * flexbuffer. docs/FLEXBUFFERS.md says what to write for each Rust type; the
 * members of an object must stand in the order of the fields of the struct.
 *
 * @returns 32 bytes, for {@linkcode keyBytes} and whatever takes a key.
 * @throws {CodecError} The value has no flexbuffer; the error says where.
 */
export function flexbuffersKey(value: unknown): Uint8Array {
  return sha256(flexbuffers().encode(value));
}

/**
 * JSON in the canonical form of RFC 8785.
 *
 * @throws {CodecError} The value is not JSON; the error says where.
 */
export function canonicalJson(value: JsonValue): string {
  assertJson("key", value);
  try {
    return canonicalize(value)!;
  } catch (cause) {
    throw new CodecError("key", (cause as Error).message, { cause });
  }
}
