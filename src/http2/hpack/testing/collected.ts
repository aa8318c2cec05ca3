/**
 * What tests of HPACK share: the fields of a block as a list.
 *
 * @module
 */

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
