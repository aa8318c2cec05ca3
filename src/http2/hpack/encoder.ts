/**
 * Encodes header blocks without a dynamic table. So a block is a constant: it
 * can be made once, sent on any connection, and withdrawn before it is sent.
 *
 * @module
 */

import { MAX_INTEGER_OCTETS, writeInteger } from "./integers.ts";
import { STATIC_LENGTH, STATIC_NAMES, STATIC_VALUES } from "./static_table.ts";

const INDEXED = { mask: 0x7f, pattern: 0x80 };
/** A literal that the client keeps in no table. */
const LITERAL = { mask: 0x0f, pattern: 0 };
const SIZE_UPDATE = { mask: 0x1f, pattern: 0x20 };
/** Without the Huffman code: what is sent is mostly made once. */
const STRING = { mask: 0x7f, pattern: 0 };

/** The first index of each name, and the index of each of its values. */
const PLACES = new Map<
  string,
  { readonly index: number; readonly values: Map<string, number> }
>();
for (let index = 1; index <= STATIC_LENGTH; index++) {
  const name = STATIC_NAMES[index]!;
  let place = PLACES.get(name);
  if (!place) PLACES.set(name, place = { index, values: new Map() });
  place.values.set(STATIC_VALUES[index]!, index);
}

/** Where the next octet is written. */
interface Output {
  readonly out: Uint8Array;
  at: number;
}

/**
 * Encodes fields: as static indices, or as literals without indexing.
 *
 * @param fields Names, in lower case, and values: one char per octet.
 * @returns A header block, good for any connection.
 * @throws {RangeError} A char is above U+00FF.
 */
export function encodeHeaders(
  fields: Iterable<readonly [string, string]>,
): Uint8Array {
  const list = [...fields];
  const boundBytes = list.reduce(
    (bytes, [name, value]) =>
      bytes + name.length + value.length + 3 * MAX_INTEGER_OCTETS,
    0,
  );
  const output: Output = { out: new Uint8Array(boundBytes), at: 0 };
  for (const [name, value] of list) {
    const place = PLACES.get(name);
    const index = place?.values.get(value);
    if (index !== undefined) {
      output.at = writeInteger(index, INDEXED, output);
      continue;
    }
    output.at = writeInteger(place?.index ?? 0, LITERAL, output);
    if (!place) writeString(name, output);
    writeString(value, output);
  }
  return output.out.slice(0, output.at);
}

/**
 * Encodes a dynamic table size update, which goes before the next block after
 * a client lowered SETTINGS_HEADER_TABLE_SIZE.
 *
 * @param sizeBytes The table's size: 0, as the encoder uses none.
 * @returns The octets to put before a block.
 */
export function encodeTableSizeUpdate(sizeBytes: number): Uint8Array {
  const out = new Uint8Array(MAX_INTEGER_OCTETS);
  return out.slice(0, writeInteger(sizeBytes, SIZE_UPDATE, { out, at: 0 }));
}

function writeString(text: string, output: Output): void {
  output.at = writeInteger(text.length, STRING, output);
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char > 0xff) {
      throw new RangeError(
        `Cannot encode a header field with U+${
          char.toString(16).toUpperCase().padStart(4, "0")
        }: write one char per octet`,
      );
    }
    output.out[output.at++] = char;
  }
}
