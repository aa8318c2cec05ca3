/**
 * gRPC calls of both services in bytes, whole or broken.
 *
 * @module
 */

import { Flag } from "../../src/http2/frames.ts";
import { data, headers } from "../../src/http2/testing/frame_bytes.ts";
import { bytes, join, uint32 } from "../../src/http2/testing/octets.ts";

/** Headers by name, in their order. */
export type Fields = readonly (readonly [string, string])[];

/** The path of RemoteCache.Get. */
export const GET = "/remote.RemoteCache/Get";
/** The path of RemoteCache.Heartbeat. */
export const HEARTBEAT = "/remote.RemoteCache/Heartbeat";
/** The path of RemoteCache.Set. */
export const SET = "/remote.RemoteCache/Set";

/** The header fields of a call, with others added or put in their place. */
export function callFields(path: string, more: Fields = []): Fields {
  const replaced = new Set(more.map(([name]) => name));
  const usual: Fields = [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "rude"],
    ["content-type", "application/grpc"],
    ["te", "trailers"],
  ];
  const kept = usual.filter(([name]) => !replaced.has(name));
  const isPseudo = ([name]: readonly [string, string]) => name.startsWith(":");
  const all = [...kept, ...more];
  return [...all.filter(isPseudo), ...all.filter((one) => !isPseudo(one))];
}

/** What may be wrong with a gRPC message. */
export interface MessageOptions {
  /** 1 says that it is compressed. */
  readonly flag?: number;
  /** What its prefix says about its length; default: the truth. */
  readonly announcedBytes?: number;
}

/** A gRPC message. */
export function message(
  content: Uint8Array,
  { flag = 0, announcedBytes = content.length }: MessageOptions = {},
): Uint8Array {
  return join(new Uint8Array([flag]), uint32(announcedBytes), content);
}

/** A whole call. */
export function call(
  stream: number,
  path: string,
  content: Uint8Array,
  more: Fields = [],
): Uint8Array {
  return join(
    headers(stream, callFields(path, more)),
    data(stream, message(content), Flag.END_STREAM),
  );
}

function varint(value: bigint): Uint8Array {
  const octets: number[] = [];
  let rest = value;
  for (; rest > 127n; rest >>= 7n) octets.push(Number(rest & 127n) | 128);
  octets.push(Number(rest));
  return new Uint8Array(octets);
}

/** A field of bytes; its number is at most 15. */
export function field(number: number, content: Uint8Array): Uint8Array {
  const tag = new Uint8Array([(number << 3) | 2]);
  return join(tag, varint(BigInt(content.length)), content);
}

/** A GetRequest. */
export function getRequest(
  namespace: string,
  key: Uint8Array | string,
  assign = false,
): Uint8Array {
  const raw = typeof key === "string" ? bytes(key) : key;
  return join(
    field(1, bytes(namespace)),
    field(2, raw),
    new Uint8Array(assign ? [3 << 3, 1] : []),
  );
}

/** A field that is a number; its own number is at most 15. */
export function number(field: number, value: bigint): Uint8Array {
  return join(new Uint8Array([field << 3]), varint(value));
}

/** A request that is just an id. */
export function idRequest(id: bigint): Uint8Array {
  return number(1, id);
}

/** A SetRequest. */
export function setRequest(id: bigint, value: Uint8Array): Uint8Array {
  return join(idRequest(id), field(2, value));
}

/** A call that asks for a value. */
export function get(
  stream: number,
  namespace: string,
  key: string,
): Uint8Array {
  return call(stream, GET, getRequest(namespace, key));
}
