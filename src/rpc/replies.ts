/**
 * The replies that leave all the time, as the parts of their messages.
 *
 * @module
 */

import { smallBytes } from "../grpc/small_bytes.ts";
import { bytesField, fieldTag } from "./bytes_field.ts";
import { varintBytes, writeUint64, writeVarint } from "./uint64.ts";
import type { Id } from "../table/types.ts";

/** A message in parts that are sent one after the other, without a copy. */
export type Parts = readonly Uint8Array[];

/** `google.protobuf.Empty`. */
export const EMPTY_PARTS: Parts = [];

/** `GetReply.assign` and `GetReply.ready` of both services. */
const ASSIGN = 2, READY = 4;

/** `GetReply.unassigned`. */
export const UNASSIGNED: Parts = bytesField(1, new Uint8Array());
/** `GetReply.loading`. */
export const LOADING: Parts = bytesField(3, new Uint8Array());

/** Field 1, a varint: every id. */
const ID_TAG = 1 << 3;
/** Field 2, text. */
const PATH_TAG = fieldTag(2);
/** A tag of a byte, and a number of at most ten. */
const MAX_NUMBER_BYTES = 11;
const utf8 = new TextEncoder();

/** `remote.GetReply.ready`. */
export function readyValue(value: Uint8Array): Parts {
  return bytesField(READY, value);
}

/** The largest value whose `remote.GetReply` has no more bytes than this. */
export function largestValue(maxReplyBytes: number): number {
  const withLength = maxReplyBytes - 1;
  let bytes = withLength - varintBytes(withLength);
  // A shorter value may need a shorter length.
  while (bytes + 1 + varintBytes(bytes + 1) <= withLength) bytes++;
  return bytes;
}

/** `remote.GetReply.assign`. */
export function assignedValue(id: Id, heartbeatIntervalMs: number): Parts {
  const message = smallBytes(2 * MAX_NUMBER_BYTES);
  const at = writeId(message, id);
  const end = writeNumber(message, at, {
    field: 2,
    value: heartbeatIntervalMs,
  });
  return bytesField(ASSIGN, message.subarray(0, end));
}

/** `local.GetReply.ready`. */
export function readyFile(handle: Id, path: string): Parts {
  const { message, at } = idAndPath(handle, path);
  return bytesField(READY, message.subarray(0, at));
}

/** `local.GetReply.assign`. */
export function assignedFile(
  id: Id,
  { path, heartbeatIntervalMs }: {
    readonly path: string;
    readonly heartbeatIntervalMs: number;
  },
): Parts {
  const { message, at } = idAndPath(id, path);
  const end = writeNumber(message, at, {
    field: 3,
    value: heartbeatIntervalMs,
  });
  return bytesField(ASSIGN, message.subarray(0, end));
}

/** The first two fields of a local reply, with room for a number after them. */
function idAndPath(
  id: Id,
  path: string,
): { readonly message: Uint8Array; readonly at: number } {
  const text = textBytes(path);
  const message = smallBytes(
    2 * MAX_NUMBER_BYTES + 1 + varintBytes(text.length) + text.length,
  );
  let at = writeId(message, id);
  message[at++] = PATH_TAG;
  at = writeVarint(message, at, text.length);
  message.set(text, at);
  return { message, at: at + text.length };
}

/** Mostly each letter is a byte: then they need no array of their own. */
function textBytes(text: string): Uint8Array {
  const bytes = smallBytes(text.length);
  const { read } = utf8.encodeInto(text, bytes);
  return read === text.length ? bytes : utf8.encode(text);
}

function writeId(message: Uint8Array, id: Id): number {
  message[0] = ID_TAG;
  return writeUint64(message, 1, id);
}

function writeNumber(
  message: Uint8Array,
  at: number,
  { field, value }: { readonly field: number; readonly value: number },
): number {
  message[at] = field << 3;
  return writeVarint(message, at + 1, value);
}
