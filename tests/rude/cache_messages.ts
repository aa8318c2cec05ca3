/**
 * Messages of `larder.v1.Cache` in bytes.
 *
 * @module
 */

import { NS } from "./arena.ts";
import { call, field, message, varint } from "./messages.ts";
import { bytes, join } from "./octets.ts";

/** The path of a method. */
export function cachePath(method: string): string {
  return `/larder.v1.Cache/${method}`;
}

/** A field that is a number; its own number is at most 15. */
export function numberField(number: number, value: bigint): Uint8Array {
  return join(new Uint8Array([number << 3]), varint(value));
}

/** What a Fetch asks for beside its key. */
export interface FetchAsks {
  readonly assign?: boolean;
  readonly wait?: boolean;
  readonly path?: boolean;
  readonly offset?: bigint;
  readonly length?: bigint;
}

/** A FetchRequest. */
export function fetchRequest(
  key: Uint8Array | string,
  { assign, wait, path, offset = 0n, length = 0n }: FetchAsks = {},
): Uint8Array {
  const flags = [assign, wait, path].flatMap((flag, i) =>
    flag ? [numberField(3 + i, 1n)] : []
  );
  return join(
    entryRequest(key),
    ...flags,
    numberField(6, offset),
    numberField(7, length),
  );
}

/** A StatRequest or DeleteRequest. */
export function entryRequest(
  key: Uint8Array | string,
  namespace: string = NS,
): Uint8Array {
  return join(
    field(1, bytes(namespace)),
    field(2, typeof key === "string" ? bytes(key) : key),
  );
}

/** A Fetch of a key. */
export function fetch(
  stream: number,
  key: Uint8Array | string,
  asks: FetchAsks = {},
): Uint8Array {
  return call(stream, cachePath("Fetch"), fetchRequest(key, asks));
}

/** The gRPC message that begins a Publish. */
export function begin(
  id: bigint,
  more: Uint8Array = new Uint8Array(),
): Uint8Array {
  return message(field(1, join(numberField(1, id), more)));
}

/** The gRPC message with the next bytes of a value. */
export function chunk(content: Uint8Array): Uint8Array {
  return message(field(2, content));
}
