/**
 * A message that is one large field of bytes, as protobuf has it on the wire.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import { serializeParts } from "./transport/mod.ts";

/** Length-delimited. */
const WIRE_TYPE = 2;
/** A varint carries seven bits a byte. */
const VARINT_BITS = 7;

/**
 * Serializes `{ field: value }` for a `responseSerialize`. A hot value is shared
 * by all its readers: it is sent as it is, never copied.
 *
 * @param field The field's number, at most 15.
 */
export function serializeBytesField(field: number, value: Uint8Array): Buffer {
  const head = new Uint8Array(1 + varintBytes(value.length));
  let at = 0;
  head[at++] = (field << 3) | WIRE_TYPE;
  let rest = value.length;
  for (; rest >= 1 << VARINT_BITS; rest >>>= VARINT_BITS) {
    head[at++] = (rest & 0x7f) | 0x80;
  }
  head[at] = rest;
  return serializeParts(head, value);
}

function varintBytes(value: number): number {
  const bits = 32 - Math.clz32(value);
  return Math.max(1, Math.ceil(bits / VARINT_BITS));
}
