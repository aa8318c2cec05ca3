/**
 * The Huffman code of HPACK (RFC 7541, appendix B). It is canonical: codes of
 * one length count up with their symbols, and longer ones go on where shorter
 * ones ended. So the lengths are all there is to know.
 *
 * @module
 */

/** The symbol that ends nothing: to send it is an error. */
export const END_OF_STRING = 256;

/** How many bits the code of each symbol has, from octet 0 to the end of string. */
// deno-fmt-ignore
const LENGTHS_BITS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];

/** The code of one symbol. */
export interface HuffmanCode {
  /** An octet, or {@linkcode END_OF_STRING}. */
  readonly symbol: number;
  /** The code, right-aligned. */
  readonly code: number;
  /** How many bits of it count. */
  readonly lengthBits: number;
}

/** The codes of all symbols, the shortest first. */
export const HUFFMAN_CODES: readonly HuffmanCode[] = canonicalCodes();

function canonicalCodes(): HuffmanCode[] {
  const symbols = LENGTHS_BITS
    .map((lengthBits, symbol) => ({ symbol, lengthBits }))
    .sort((a, b) => a.lengthBits - b.lengthBits || a.symbol - b.symbol);
  let code = 0;
  let lastBits = 0;
  return symbols.map(({ symbol, lengthBits }) => {
    code <<= lengthBits - lastBits;
    lastBits = lengthBits;
    return { symbol, code: code++, lengthBits };
  });
}
