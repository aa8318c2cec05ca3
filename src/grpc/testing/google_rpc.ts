/**
 * The messages of google.rpc, read by protobufjs as googleapis defines them: what
 * is written by hand is held against it.
 *
 * @module
 */

import protobuf from "protobufjs";

const { root } = protobuf.parse(
  `
syntax = "proto3";
package google.rpc;
message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
message Any { string type_url = 1; bytes value = 2; }
message RetryInfo { Duration retry_delay = 1; }
message Duration { int64 seconds = 1; int32 nanos = 2; }
`,
  { keepCase: true },
);

/** A `Status`, as it comes in `grpc-status-details-bin`. */
export interface RpcStatus {
  readonly code: number;
  readonly message: string;
  readonly details: readonly {
    readonly type_url: string;
    readonly value: Uint8Array;
  }[];
}

/** A `RetryInfo`. */
export interface RetryInfo {
  readonly retry_delay: { readonly seconds: number; readonly nanos: number };
}

/** Reads a `Status`. */
export function readStatus(bytes: Uint8Array): RpcStatus {
  return read("Status", bytes) as RpcStatus;
}

/** Reads a `RetryInfo`. */
export function readRetryInfo(bytes: Uint8Array): RetryInfo {
  return read("RetryInfo", bytes) as RetryInfo;
}

function read(name: string, bytes: Uint8Array): object {
  const type = root.lookupType(`google.rpc.${name}`);
  return type.toObject(type.decode(bytes), { longs: Number, defaults: true });
}
