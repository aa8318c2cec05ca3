/**
 * Values as flexbuffers, which Rust clients store and read with serde.
 *
 * docs/FLEXBUFFERS.md says which type of Rust is which value here.
 *
 * @module
 */

import { type Codec, codec } from "./codec.ts";
import { readFlexbuffer } from "./flexbuffers_reader.ts";
import { FLEXBUFFERS } from "./flexbuffers_types.ts";
import { writeFlexbuffer } from "./flexbuffers_writer.ts";

/**
 * Values as flexbuffers: what `flexbuffers::to_vec` writes is read, and what is
 * written `flexbuffers::from_slice` reads.
 *
 * Written are `null`, booleans, numbers, bigints of 64 bits,
 * {@linkcode uint} and {@linkcode float}, strings, `Uint8Array` as bytes, other
 * typed arrays as vectors of their numbers, arrays, plain objects, and a `Map`
 * with strings as keys. `undefined`, class instances and the like are refused.
 *
 * Objects come back without a prototype, integers beyond 2^53 as bigints.
 *
 * `T` is a promise of yours: nobody looks whether what is read is a `T`.
 *
 * ```ts
 * import { flexbuffers } from "./flexbuffers.ts";
 *
 * const points = flexbuffers<{ x: number; y: number }>();
 * const bytes = points.encode({ x: 1, y: -2 }); // Point { x: 1, y: -2 }
 * if (points.decode(bytes).y !== -2) throw new Error("not the point");
 * ```
 */
export function flexbuffers<T = unknown>(): Codec<T> {
  return codec<T>({
    name: FLEXBUFFERS,
    encode: writeFlexbuffer,
    decode: (bytes) => readFlexbuffer(bytes) as T,
  });
}
