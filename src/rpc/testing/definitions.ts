/**
 * What proto-loader makes of the .proto files by itself: what our own codecs are
 * held against.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import { fileURLToPath } from "node:url";
import * as protoLoader from "@grpc/proto-loader";
import fc from "fast-check";

const PROTO = fileURLToPath(new URL("../../../proto/", import.meta.url));
const OPTIONS = { longs: String } as const;
const SERVICES = {
  local: protoLoader.loadSync(`${PROTO}local.proto`, OPTIONS)[
    "local.LocalCache"
  ],
  remote: protoLoader.loadSync(`${PROTO}remote.proto`, OPTIONS)[
    "remote.RemoteCache"
  ],
  v1: protoLoader.loadSync(`${PROTO}larder/v1/cache.proto`, OPTIONS)[
    "larder.v1.Cache"
  ],
};

/** The codecs of one method. */
export interface Definition {
  readonly path: string;
  readonly requestSerialize: (request: object) => Buffer;
  readonly requestDeserialize: (bytes: Buffer) => object;
  readonly responseDeserialize: (bytes: Buffer) => object;
}

/** A method of one of the services. */
export function definitionOf(
  service: keyof typeof SERVICES,
  method: string,
): Definition {
  const loaded = SERVICES[service] as Record<string, Definition>;
  return loaded[method]!;
}

/** Every uint64 in decimal, those at the seams of varints and halves often. */
export const uint64: fc.Arbitrary<string> = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.tuple(fc.nat(64), fc.constantFrom(-1n, 0n, 1n)).map(([bits, off]) =>
    BigInt.asUintN(64, 2n ** BigInt(bits) + off)
  ),
).map(String);
