/**
 * An encoder that uses all of HPACK, as peers do and ours does not: as plain
 * as can be, so that it is right at a glance.
 *
 * @module
 */

import { HUFFMAN_CODES } from "../huffman_code.ts";
import { STATIC_LENGTH, STATIC_NAMES, STATIC_VALUES } from "../static_table.ts";
import type { Field } from "./collected.ts";

/** How a field is written. */
export interface ModelField {
  /** Name and value. */
  readonly field: Field;
  /** As an index if a table has it, or as one of the three literals. */
  readonly form: "index" | "add" | "plain" | "never";
  /** Whether the name of a literal is an index, if a table has it. */
  readonly nameByIndex: boolean;
  /** Whether strings are in the Huffman code. */
  readonly huffman: boolean;
}

/** The first octet of each literal, and how many bits its integer has. */
const LITERALS = {
  index: [0x40, 6],
  add: [0x40, 6],
  plain: [0x00, 4],
  never: [0x10, 4],
} as const;
const STATIC: readonly Field[] = Array.from(
  { length: STATIC_LENGTH },
  (_, at) => [STATIC_NAMES[at + 1]!, STATIC_VALUES[at + 1]!],
);

/** Encodes blocks for one decoder, in order. */
export class ModelEncoder {
  #maxBytes = 4096;
  /** The newest first. */
  #entries: Field[] = [];

  /** The dynamic table as it must be at the decoder. */
  get entries(): readonly Field[] {
    return this.#entries;
  }

  /** Encodes a block that begins with updates of the table's size. */
  encode(
    fields: readonly ModelField[],
    sizeUpdates: readonly number[] = [],
  ): Uint8Array {
    const out: number[] = [];
    for (const bytes of sizeUpdates) {
      out.push(...integer(bytes, 5, 0x20));
      this.#maxBytes = bytes;
      this.#evict();
    }
    for (const field of fields) out.push(...this.#encode(field));
    return new Uint8Array(out);
  }

  #encode({ field, form, nameByIndex, huffman }: ModelField): number[] {
    const [name, value] = field;
    const all = [...STATIC, ...this.#entries];
    const index = 1 + all.findIndex(([n, v]) => n === name && v === value);
    if (form === "index" && index > 0) return integer(index, 7, 0x80);
    const [first, bits] = LITERALS[form];
    const nameIndex = nameByIndex ? 1 + all.findIndex(([n]) => n === name) : 0;
    const out = integer(nameIndex, bits, first);
    if (nameIndex === 0) out.push(...string(name, huffman));
    out.push(...string(value, huffman));
    if (first === 0x40) {
      this.#entries.unshift(field);
      this.#evict();
    }
    return out;
  }

  /** An entry that is too large goes last: after all the others. */
  #evict(): void {
    while (size(this.#entries) > this.#maxBytes) this.#entries.pop();
  }
}

function size(entries: readonly Field[]): number {
  return entries.reduce((sum, [n, v]) => sum + n.length + v.length + 32, 0);
}

/** An integer with a prefix of `bits` bits below the pattern `first`. */
export function integer(value: number, bits: number, first: number): number[] {
  const limit = 2 ** bits - 1;
  if (value < limit) return [first | value];
  const out = [first | limit];
  let rest = value - limit;
  for (; rest >= 128; rest = Math.floor(rest / 128)) {
    out.push(rest % 128 + 128);
  }
  return [...out, rest];
}

/** A string, one octet per char. */
export function string(text: string, huffman: boolean): number[] {
  const chars = [...text].map((char) => char.charCodeAt(0));
  const coded = huffman ? encodeHuffman(chars) : chars;
  return [...integer(coded.length, 7, huffman ? 0x80 : 0), ...coded];
}

/** A string without the Huffman code, for blocks that a test puts together. */
export function stringOf(text: string): Uint8Array {
  return new Uint8Array(string(text, false));
}

const BITS = new Map(
  HUFFMAN_CODES.map(({ symbol, code, lengthBits }) => [
    symbol,
    code.toString(2).padStart(lengthBits, "0"),
  ]),
);

/** Symbols in the Huffman code, then `padding` up to the next whole octet. */
export function encodeHuffman(
  symbols: readonly number[],
  padding = "1111111",
): number[] {
  const bits = symbols.map((symbol) => BITS.get(symbol)!).join("");
  const padded = bits + padding.slice(0, -bits.length & 7);
  return (padded.match(/.{8}/g) ?? []).map((octet) => parseInt(octet, 2));
}
