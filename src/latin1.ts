/**
 * Bytes as text, each byte as one character.
 *
 * @module
 */

import { Buffer } from "node:buffer";

/** Buffer's own, which takes any Uint8Array: three times as fast as a decoder. */
const latin1Slice = Buffer.prototype.latin1Slice as (
  this: Uint8Array,
  start: number,
  end: number,
) => string;

/** The bytes from `start` to before `end`; of ASCII, the text that they are. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  return latin1Slice.call(bytes, start, end);
}
