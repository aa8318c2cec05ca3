/**
 * Messages of `larder.v1.Cache` in bytes, whole or broken.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { Flag } from "../../src/http2/frames.ts";
import { data, headers } from "../../src/http2/testing/frame_bytes.ts";
import { bytes, join } from "../../src/http2/testing/octets.ts";
import { NS } from "./arena.ts";
import {
  call,
  callFields,
  field,
  type Fields,
  message,
  number,
} from "./messages.ts";

/** The path of a method. */
export function cachePath(method: string): string {
  return `/larder.v1.Cache/${method}`;
}

/** What a Fetch asks for beside its key. */
export interface FetchAsks {
  readonly assign?: boolean;
  readonly wait?: boolean;
  readonly path?: boolean;
  readonly offset?: bigint;
  readonly length?: bigint;
}

/** A Fetch of a key. */
export function fetch(
  stream: number,
  key: Uint8Array | string,
  { assign, wait, path, offset = 0n, length = 0n }: FetchAsks = {},
): Uint8Array {
  const flags = [assign, wait, path].map((flag, i) =>
    number(3 + i, flag ? 1n : 0n)
  );
  const range = join(number(6, offset), number(7, length));
  const request = join(entryRequest(key), ...flags, range);
  return call(stream, cachePath("Fetch"), request);
}

/** A StatRequest or DeleteRequest. */
export function entryRequest(
  key: Uint8Array | string,
  namespace: string = NS,
): Uint8Array {
  const raw = typeof key === "string" ? bytes(key) : key;
  return join(field(1, bytes(namespace)), field(2, raw));
}

/** A ListRequest. */
export function listRequest(pageSize = 0n, token = ""): Uint8Array {
  return join(
    field(1, bytes(NS)),
    number(2, pageSize),
    field(3, bytes(token)),
  );
}

/** The gRPC message that begins a Publish; more fields may follow the id. */
export function begin(id: bigint, ...more: Uint8Array[]): Uint8Array {
  return message(field(1, join(number(1, id), ...more)));
}

/** The gRPC message with the next bytes of a value. */
export function chunk(content: Uint8Array): Uint8Array {
  return message(field(2, content));
}

/** The gRPC message that ends a Publish of these bytes. */
export function endOf(value: Uint8Array): Uint8Array {
  const digest = new Uint8Array(createHash("sha256").update(value).digest());
  return end(BigInt(value.length), digest);
}

/** The gRPC message that ends a Publish, with whatever size and digest. */
export function end(size: bigint, digest: Uint8Array): Uint8Array {
  return message(field(3, join(number(1, size), field(2, digest))));
}

/** A Publish of gRPC messages, which goes on unless it is told to end. */
export function publish(
  stream: number,
  messages: readonly Uint8Array[],
  { end = false, fields = [] }: { end?: boolean; fields?: Fields } = {},
): Uint8Array {
  return join(
    headers(stream, callFields(cachePath("Publish"), fields)),
    data(stream, join(...messages), end ? Flag.END_STREAM : 0),
  );
}
