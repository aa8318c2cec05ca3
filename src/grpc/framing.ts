/**
 * Puts messages behind their prefix: a flag and the length.
 *
 * @module
 */

import { smallBytes } from "./small_bytes.ts";

/** Flag and length before each message. */
export const PREFIX_BYTES = 5;

/** The message of nothing: replies that only say OK. */
const EMPTY_FRAME: readonly Uint8Array[] = [new Uint8Array(PREFIX_BYTES)];

/**
 * Frames a message, without copying it.
 *
 * @param parts The message's parts.
 * @returns The prefix and the parts.
 */
export function frameMessage(
  parts: readonly Uint8Array[],
): readonly Uint8Array[] {
  let bytes = 0;
  for (let at = 0; at < parts.length; at++) bytes += parts[at]!.length;
  if (bytes === 0) return EMPTY_FRAME;
  const prefix = smallBytes(PREFIX_BYTES);
  prefix[1] = bytes >>> 24;
  prefix[2] = bytes >>> 16;
  prefix[3] = bytes >>> 8;
  prefix[4] = bytes;
  // The usual case without the price of a spread.
  return parts.length === 1 ? [prefix, parts[0]!] : [prefix, ...parts];
}
