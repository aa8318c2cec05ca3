/**
 * The status of what may be asked again later: `google.rpc.Status` with a
 * `google.rpc.RetryInfo`, in the trailer `grpc-status-details-bin`.
 *
 * @module
 */

import { Metadata } from "./metadata.ts";
import { Status, StatusError } from "./status.ts";

/** Where clients look for it. */
const DETAILS = "grpc-status-details-bin";
const TYPE = "type.googleapis.com/google.rpc.RetryInfo";
const NANOS_PER_MS = 1_000_000;
const utf8 = new TextEncoder();

/**
 * A limit was reached that is free again some time.
 *
 * @param message For people; clients see it.
 * @param retryMs After how long it is worth another attempt.
 */
export function exhausted(message: string, retryMs: number): StatusError {
  const code = Status.RESOURCE_EXHAUSTED;
  const delay = [
    ...number(1, Math.floor(retryMs / 1_000)),
    ...number(2, Math.round(retryMs % 1_000 * NANOS_PER_MS)),
  ];
  const info = [...text(1, TYPE), ...bytes(2, bytes(1, delay))];
  const status = [
    ...number(1, code),
    ...text(2, message),
    ...bytes(3, info),
  ];
  const trailers = new Metadata().add(DETAILS, Uint8Array.from(status));
  return new StatusError(code, message, trailers);
}

/** A field that is a number. */
function number(field: number, value: number): number[] {
  return [field << 3, ...varint(value)];
}

/** A field of text. */
function text(field: number, value: string): number[] {
  return bytes(field, [...utf8.encode(value)]);
}

/** A field that is a message. */
function bytes(field: number, value: readonly number[]): number[] {
  return [field << 3 | 2, ...varint(value.length), ...value];
}

function varint(value: number): number[] {
  const low = value % 128;
  return value < 128 ? [low] : [low | 128, ...varint(Math.floor(value / 128))];
}
