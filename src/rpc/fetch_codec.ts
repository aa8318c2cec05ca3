/**
 * The messages of `Fetch` that come and leave all the time, read and written by
 * hand: with protobufjs they took as long as the rest of a hit.
 *
 * @module
 */

import { release } from "../grpc/release.ts";
import { smallBytes } from "../grpc/small_bytes.ts";
import { bytesField, fieldTag } from "./bytes_field.ts";
import {
  CHUNK_FIELD,
  type FetchReply,
  type FetchRequest,
} from "./cache_wire.ts";
import type { Parts } from "./replies.ts";
import { varintBytes, writeUint64, writeVarint } from "./uint64.ts";
import { WireReader } from "./wire_reader.ts";

/** `FetchReply.ready`. */
const READY = 4;
/** Of `Ready`; the value is its last field. */
const SIZE = 1, SHA256 = 2, COMPUTED_MS = 5, TTL_MS = 6, VALUE = 7;
/** A tag of a byte, and a number of at most ten. */
const MAX_NUMBER_BYTES = 11;
const NO_KEY: Uint8Array = new Uint8Array();

type Ready = Extract<FetchReply, { ready: unknown }>["ready"];

/**
 * Reads a `FetchRequest`.
 *
 * @param message Its bytes; the request keeps no part of them.
 * @param owned Whether nobody else has them: then they are freed, since calls may
 * wait for long.
 */
export function readFetchRequest(
  message: Uint8Array,
  owned: boolean,
): FetchRequest {
  const request = requestIn(message);
  if (owned) release(message);
  return request;
}

function requestIn(message: Uint8Array): FetchRequest {
  const reader = new WireReader(message);
  const request = {
    namespace: "",
    key: NO_KEY,
    assign: false,
    wait: false,
    path: false,
    offset: "0",
    length: "0",
    head: false,
    fromDisk: false,
    ttlMs: "0",
  };
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        request.namespace = reader.string();
        break;
      case 2:
        request.key = copy(reader.bytes());
        break;
      case 3:
        request.assign = reader.bool();
        break;
      case 4:
        request.wait = reader.bool();
        break;
      case 5:
        request.path = reader.bool();
        break;
      case 6:
        request.offset = reader.uint64();
        break;
      case 7:
        request.length = reader.uint64();
        break;
      case 8:
        request.head = reader.bool();
        break;
      case 9:
        request.fromDisk = reader.bool();
        break;
      case 10:
        request.ttlMs = reader.uint64();
        break;
      default:
        reader.skip();
    }
  }
  return request;
}

/** Keys are small, as a rule. */
function copy(key: Uint8Array): Uint8Array {
  const copied = smallBytes(key.length);
  copied.set(key);
  return copied;
}

/** The parts of a reply; `otherwise` writes those that come less often. */
export function fetchReplyParts(
  reply: FetchReply,
  otherwise: (reply: FetchReply) => Parts,
): Parts {
  if ("chunk" in reply) return bytesField(CHUNK_FIELD, reply.chunk);
  if (!("ready" in reply)) return otherwise(reply);
  const { ready } = reply;
  const { value, handle, path } = ready;
  return value && value.length > 0 && handle === undefined && path === undefined
    ? readyParts(ready, value)
    : otherwise(reply);
}

/** A value is sent as it is, never copied. */
function readyParts(
  { size, sha256, computedMs = 0, ttlMs = 0 }: Ready,
  value: Uint8Array,
): Parts {
  const told = smallBytes(4 * MAX_NUMBER_BYTES + 2 + sha256.length);
  let at = writeNumber(told, 0, { field: SIZE, value: size });
  told[at++] = fieldTag(SHA256);
  at = writeVarint(told, at, sha256.length);
  told.set(sha256, at);
  at += sha256.length;
  at = writeNumber(told, at, { field: COMPUTED_MS, value: computedMs });
  at = writeNumber(told, at, { field: TTL_MS, value: ttlMs });
  told[at++] = fieldTag(VALUE);
  at = writeVarint(told, at, value.length);
  const bytes = at + value.length;
  const head = smallBytes(1 + varintBytes(bytes) + at);
  head[0] = fieldTag(READY);
  const start = writeVarint(head, 1, bytes);
  head.set(told.subarray(0, at), start);
  return [head, value];
}

/** 0 is what a field has that is not there. */
function writeNumber(
  into: Uint8Array,
  at: number,
  { field, value }: { readonly field: number; readonly value: number },
): number {
  if (value === 0) return at;
  into[at] = field << 3;
  return writeUint64(into, at + 1, `${value}`);
}
