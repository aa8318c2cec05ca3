/**
 * Values as MessagePack.
 *
 * `@msgpack/msgpack` is the one of the MessagePack project itself: no
 * dependencies, no native addon, no code made at run time, and nothing on the
 * wire that others cannot read. (`msgpackr` is faster by these very means.)
 *
 * @module
 */

import { decode, encode } from "@msgpack/msgpack";
import { type Codec, codec } from "./codec.ts";
import { checkSizes } from "./messagepack_sizes.ts";
import { checkPlainTree, MAX_DEPTH, nameOf } from "./plain_tree.ts";

/** A bigint is written with 64 bits, and what has 64 bits is read as one. */
const OPTIONS = { useBigInt64: true, maxDepth: MAX_DEPTH + 1 };

/**
 * Values as MessagePack: what JSON can say, and `Uint8Array`, `Date`, bigints
 * of 64 bits, `NaN` and infinities. `-0` comes back as `0`.
 *
 * Refused are `undefined` and holes, which would come back as `null`, functions,
 * symbols, bigints beyond 64 bits, class instances, and a key `__proto__`. What
 * another language stored as a 64-bit integer is read as a bigint, whatever its
 * size.
 *
 * `T` is a promise of yours: nobody looks whether what is read is a `T`.
 */
export function messagepack<T = unknown>(): Codec<T> {
  return codec<T>({
    name: "messagepack",
    encode: (value) => {
      checkPlainTree("messagepack", value, { leaf, key });
      return encode(value, OPTIONS);
    },
    decode: (bytes) => {
      checkSizes(bytes);
      return decode(bytes, OPTIONS) as T;
    },
  });
}

function leaf(value: unknown): string | undefined {
  switch (typeof value) {
    case "string":
      return text(value);
    case "boolean":
    case "number":
      return;
    case "bigint":
      if (BigInt.asIntN(64, value) === value) return;
      if (BigInt.asUintN(64, value) === value) return;
      return "a bigint beyond 64 bits";
    case "object":
      if (value === null || value instanceof Uint8Array) return;
      if (value instanceof Date && !Number.isNaN(+value)) return;
  }
  return `${nameOf(value)}, which MessagePack cannot say`;
}

/** The library reads no object with the one key, so it shall write none. */
function key(name: string): string | undefined {
  return name === "__proto__" ? "__proto__, which nobody reads" : text(name);
}

function text(value: string): string | undefined {
  if (value.isWellFormed()) return;
  return "a string with half a surrogate pair, which UTF-8 cannot say";
}
