/**
 * Integers of HPACK (RFC 7541, section 5.1): a prefix of some bits and, when
 * those are all ones, octets of seven bits each, the lowest first.
 *
 * @module
 */

import { HpackError } from "./hpack_error.ts";

/**
 * Octets after the prefix: 28 bits, which is more than any header list may
 * take, and leaves every sum within V8's small integers.
 */
const MAX_CONTINUATION_OCTETS = 4;
/** The longest integer that is written: a prefix and 32 bits. */
export const MAX_INTEGER_OCTETS = 6;

/** Where in a block the next octet is read. */
export interface Cursor {
  /** Index of the next octet. */
  at: number;
}

/**
 * Reads an integer whose first octet is next.
 *
 * @param block The header block.
 * @param cursor Is moved behind the integer.
 * @param mask The bits of the prefix, as ones: 0x7f for seven.
 * @returns The integer, below 2^29.
 */
export function readInteger(
  block: Uint8Array,
  cursor: Cursor,
  mask: number,
): number {
  if (cursor.at >= block.length) throw truncated();
  const prefix = block[cursor.at++]! & mask;
  return prefix < mask ? prefix : readContinuation(block, cursor, mask);
}

function readContinuation(
  block: Uint8Array,
  cursor: Cursor,
  prefix: number,
): number {
  let value = prefix;
  for (let octets = 0; octets < MAX_CONTINUATION_OCTETS; octets++) {
    if (cursor.at >= block.length) throw truncated();
    const octet = block[cursor.at++]!;
    value += (octet & 0x7f) << (7 * octets);
    if (octet < 0x80) return value;
  }
  throw new HpackError(
    `an integer goes on after ${MAX_CONTINUATION_OCTETS} octets`,
  );
}

/** The error for a block that ends too soon. */
export function truncated(): HpackError {
  return new HpackError("the header block ends within a field");
}

/**
 * Writes an integer.
 *
 * @param value At most 2^32 - 1.
 * @param prefix Its bits, as a mask of ones, and the pattern above them.
 * @param out Where to, from `at` on: {@linkcode MAX_INTEGER_OCTETS} at most.
 * @returns The index behind the integer.
 */
export function writeInteger(
  value: number,
  prefix: { readonly mask: number; readonly pattern: number },
  { out, at }: { readonly out: Uint8Array; readonly at: number },
): number {
  const { mask, pattern } = prefix;
  if (value < mask) {
    out[at] = pattern | value;
    return at + 1;
  }
  out[at++] = pattern | mask;
  // Division, as shifts would take 2^31 and more for negative.
  let rest = value - mask;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
    out[at++] = 0x80 | (rest % 0x80);
  }
  out[at++] = rest;
  return at;
}
