/**
 * The Huffman code of HPACK (RFC 7541, appendix B). It is canonical: the
 * symbols of each length, in order, are all there is to know.
 *
 * @module
 */

/** How many codes there are of each length, from 1 bit to 30. */
const COUNTS = [
  ...[0, 0, 0, 0, 10, 26, 32, 6, 0, 5, 3, 2, 6, 2, 3, 0, 0, 0, 3, 8],
  ...[13, 26, 29, 12, 4, 15, 19, 29, 0, 4],
];
const LONGEST_BITS = 15;
/** Symbols of up to 15 bits, which is all of printable ASCII. */
const SYMBOLS = "012aceiost" + " %-./3456789=A_bdfghlmnpru" +
  ":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz" + "&*,;XZ" + '!"()?' + "'+|" + "#>" +
  "\0$@[]~" + "^}" + "<`{";

/** Decodes text; characters that no server of ours sends become `?`. */
export function decodeHuffman(coded: Uint8Array): Uint8Array {
  const decoded: number[] = [];
  let code = 0;
  let bits = 0;
  let first = 0;
  let known = 0;
  for (let at = 0; at < coded.length * 8; at++) {
    const bit = (coded[at >> 3]! >> (7 - (at & 7))) & 1;
    code = code * 2 + bit;
    first *= 2;
    const count = COUNTS[bits++] ?? 0;
    if (code - first < count) {
      const symbol = bits <= LONGEST_BITS ? SYMBOLS[known + code - first] : "?";
      decoded.push(symbol!.charCodeAt(0));
      code =
        bits =
        first =
        known =
          0;
    } else {
      first += count;
      known += count;
    }
  }
  return new Uint8Array(decoded);
}
