/**
 * Values that are bytes already.
 *
 * @module
 */

import { type Codec, codec } from "./codec.ts";

/** Values are bytes, stored as they are: nothing is copied. */
export const bytes: Codec<Uint8Array> = codec<Uint8Array>({
  name: "bytes",
  encode: (value) => {
    if (value instanceof Uint8Array) return value;
    throw new TypeError(
      `the value is no Uint8Array but ${
        value === null ? "null" : typeof value
      }; choose a codec, such as json()`,
    );
  },
  decode: (stored) => stored,
});
