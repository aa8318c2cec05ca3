/**
 * Strings of HPACK (RFC 7541, section 5.2): one char per octet.
 *
 * @module
 */

import { HpackError } from "./hpack_error.ts";
import { decodeHuffman, huffmanBound } from "./huffman.ts";
import { type Cursor, readInteger, truncated } from "./integers.ts";

/** The first octet's bit that says the string is in the Huffman code. */
const HUFFMAN = 0x80;
/** Octets of which a string is made one by one, as that is faster then. */
const FEW_OCTETS = 40;
/**
 * Octets that become a string at once: below what a call takes as arguments,
 * and more than a table entry has, so that no entry is a rope of pieces.
 */
const PIECE_OCTETS = 8192;
/** Takes decoded strings, as long as they fit; decoding is never reentrant. */
const scratch = new Uint8Array(4096);
/** What is ASCII is the same in UTF-8. (`latin1` would mean windows-1252.) */
const ascii = new TextDecoder();

/**
 * Reads a string.
 *
 * @param block The header block.
 * @param cursor Is moved behind the string.
 * @param limitBytes How long the string may be, decoded.
 * @returns The string.
 */
export function readString(
  block: Uint8Array,
  cursor: Cursor,
  limitBytes: number,
): string {
  const isHuffman = cursor.at < block.length &&
    block[cursor.at]! >= HUFFMAN;
  const codedBytes = readInteger(block, cursor, 0x7f);
  const start = cursor.at;
  const end = start + codedBytes;
  if (end > block.length) throw truncated();
  cursor.at = end;
  if (!isHuffman) {
    if (codedBytes > limitBytes) throw tooLong();
    return octetsToString(block, start, end);
  }
  const boundBytes = Math.min(
    huffmanBound(codedBytes),
    Math.max(limitBytes, 0),
  );
  const target = boundBytes <= scratch.length
    ? scratch
    : new Uint8Array(boundBytes);
  const length = decodeHuffman(block, start, end, target);
  if (length > limitBytes) throw tooLong();
  return octetsToString(target, 0, length);
}

function tooLong(): HpackError {
  return new HpackError("the header list is too large to be decoded");
}

/**
 * Makes a string of octets, one char each.
 *
 * @param octets Where they are, from `start` to before `end`.
 * @param start Index of the first.
 * @param end Index behind the last.
 * @returns The string.
 */
function octetsToString(
  octets: Uint8Array,
  start: number,
  end: number,
): string {
  if (end - start > FEW_OCTETS && isAscii(octets, start, end)) {
    return ascii.decode(octets.subarray(start, end));
  }
  if (end - start <= PIECE_OCTETS) return piece(octets, start, end);
  let text = "";
  for (let at = start; at < end; at += PIECE_OCTETS) {
    text += piece(octets, at, Math.min(at + PIECE_OCTETS, end));
  }
  return text;
}

function isAscii(octets: Uint8Array, start: number, end: number): boolean {
  let bits = 0;
  for (let at = start; at < end; at++) bits |= octets[at]!;
  return bits < 0x80;
}

/** An array, as `apply` is several times slower with a view of octets. */
function piece(octets: Uint8Array, start: number, end: number): string {
  const chars = new Array<number>(end - start);
  for (let at = start, to = 0; at < end;) chars[to++] = octets[at++]!;
  return String.fromCharCode.apply(null, chars);
}
