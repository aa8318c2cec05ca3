/**
 * Reads strings in the Huffman code of HPACK, four bits a step. The steps are
 * made once, from the code: the state is the node of the code's tree that was
 * reached, and as no code is shorter than five bits, a step ends at most one.
 *
 * @module
 */

import { HpackError } from "./hpack_error.ts";
import { END_OF_STRING, HUFFMAN_CODES } from "./huffman_code.ts";

/** Inner nodes of a tree with 257 leaves: a state fits in an octet. */
const NODES = 256;
/** A step: bits 0 to 7 the next state, 8 to 15 the symbol, then these flags. */
const SYMBOL = 1 << 16;
const FAILED = 1 << 17;
/** What is left of the last octet is filled with ones, never a whole octet. */
const MAX_PADDING_BITS = 7;
/** The shortest code, and so the most that an octet can expand to: 8 / 5. */
const SHORTEST_BITS = 5;

const { steps: STEPS, mayEnd: MAY_END } = makeSteps();

/**
 * Returns how many octets a string expands to at most.
 *
 * @param codedBytes The length of the coded string.
 * @returns The bound.
 */
export function huffmanBound(codedBytes: number): number {
  return Math.floor(codedBytes * 8 / SHORTEST_BITS);
}

/**
 * Decodes a string.
 *
 * @param source Where it is, from `start` to before `end`.
 * @param start Index of the first octet.
 * @param end Index behind the last octet.
 * @param target Takes the octets; more than fit in are counted, not kept.
 * @returns How many octets the string has, also when `target` is shorter.
 */
export function decodeHuffman(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
): number {
  let state = 0;
  let flags = 0;
  let length = 0;
  for (let at = start; at < end; at++) {
    const octet = source[at]!;
    let step = STEPS[state << 4 | octet >> 4]!;
    if (step & SYMBOL) target[length++] = step >> 8;
    flags |= step;
    step = STEPS[(step & 0xff) << 4 | octet & 0x0f]!;
    if (step & SYMBOL) target[length++] = step >> 8;
    flags |= step;
    state = step & 0xff;
  }
  if (flags & FAILED) {
    throw new HpackError("a Huffman string contains the end-of-string symbol");
  }
  if (MAY_END[state] === 0) {
    throw new HpackError(
      `a Huffman string ends in other padding than ${MAX_PADDING_BITS} ones or less`,
    );
  }
  return length;
}

/** Children of node n are at 2n and 2n + 1: a node, or a symbol as `~symbol`. */
function makeTree(): Int16Array {
  const children = new Int16Array(2 * NODES);
  let nodes = 1;
  for (const { symbol, code, lengthBits } of HUFFMAN_CODES) {
    let node = 0;
    for (let bit = lengthBits - 1; bit > 0; bit--) {
      const branch = 2 * node + (code >> bit & 1);
      if (children[branch] === 0) children[branch] = nodes++;
      node = children[branch]!;
    }
    children[2 * node + (code & 1)] = ~symbol;
  }
  return children;
}

function makeSteps(): { steps: Uint32Array; mayEnd: Uint8Array } {
  const children = makeTree();
  const steps = new Uint32Array(NODES << 4);
  for (let at = 0; at < steps.length; at++) {
    let node = at >> 4;
    let result = 0;
    for (let bit = 3; bit >= 0; bit--) {
      node = children[2 * node + (at >> bit & 1)]!;
      if (node >= 0) continue;
      const symbol = ~node;
      result |= symbol === END_OF_STRING ? FAILED : SYMBOL | symbol << 8;
      node = 0;
    }
    steps[at] = result | node;
  }
  const mayEnd = new Uint8Array(NODES);
  for (let node = 0, bits = 0; bits <= MAX_PADDING_BITS; bits++) {
    mayEnd[node] = 1;
    node = children[2 * node + 1]!;
  }
  return { steps, mayEnd };
}
