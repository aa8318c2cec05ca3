/**
 * What tests of HPACK share: fields as lists, blocks as hex digits.
 *
 * @module
 */

import { bytes, join } from "../../testing/octets.ts";
import { MAX_INTEGER_OCTETS, writeInteger } from "../integers.ts";
import type { HeaderSink, HpackDecoder } from "../mod.ts";

/** A header field. */
export type Field = readonly [name: string, value: string];

/** Keeps the fields of a block. */
export class CollectedFields implements HeaderSink {
  /** The fields so far. */
  readonly fields: Field[] = [];

  /** Takes a field. */
  header(name: string, value: string): void {
    this.fields.push([name, value]);
  }
}

/** Decodes a block and returns the fields that were delivered. */
export function decodeFields(
  decoder: HpackDecoder,
  block: Uint8Array,
): Field[] {
  const sink = new CollectedFields();
  decoder.decode(block, sink);
  return sink.fields;
}

/** The octets that hex digits stand for; white space does not count. */
export function octets(hex: string): Uint8Array {
  return Uint8Array.fromHex(hex.replace(/\s/g, ""));
}

/** A string as a field has it, without the Huffman code. */
export function stringOf(text: string): Uint8Array {
  const head = new Uint8Array(MAX_INTEGER_OCTETS);
  const prefix = { mask: 0x7f, pattern: 0 };
  const end = writeInteger(text.length, prefix, { out: head, at: 0 });
  return join(head.subarray(0, end), bytes(text));
}
