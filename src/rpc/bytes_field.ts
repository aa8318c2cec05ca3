/**
 * A message that is one field of bytes, as protobuf has it on the wire.
 *
 * @module
 */

import { smallBytes } from "../grpc/small_bytes.ts";
import { varintBytes, writeVarint } from "./uint64.ts";

/** Length-delimited. */
const WIRE_TYPE = 2;

/**
 * The parts of `{ field: value }`. A hot value is shared by all its readers: it
 * is sent as it is, never copied.
 *
 * @param field The field's number, at most 15.
 */
export function bytesField(field: number, value: Uint8Array): Uint8Array[] {
  const head = smallBytes(1 + varintBytes(value.length));
  head[0] = fieldTag(field);
  writeVarint(head, 1, value.length);
  return [head, value];
}

/** What a field of bytes, text or a message begins with. */
export function fieldTag(field: number): number {
  return (field << 3) | WIRE_TYPE;
}
