/**
 * The one table from error codes to gRPC status.
 *
 * @module
 */

import { type ErrorCode, LarderError } from "../errors.ts";
import { Status, type StatusCode, StatusError } from "../grpc/status.ts";

const STATUS: Record<ErrorCode, StatusCode> = {
  "invalid-assignment-id": Status.INVALID_ARGUMENT,
  "invalid-handle-id": Status.INVALID_ARGUMENT,
  "invalid-namespace": Status.INVALID_ARGUMENT,
  "key-too-large": Status.INVALID_ARGUMENT,
  "invalid-request": Status.INVALID_ARGUMENT,
  "no-file": Status.FAILED_PRECONDITION,
  "in-use": Status.FAILED_PRECONDITION,
  "wrong-digest": Status.DATA_LOSS,
  "not-found": Status.NOT_FOUND,
  "not-local": Status.FAILED_PRECONDITION,
  "value-too-large": Status.RESOURCE_EXHAUSTED,
  "storage-full": Status.RESOURCE_EXHAUSTED,
  "storage-failed": Status.UNAVAILABLE,
  "manifest-failed": Status.UNAVAILABLE,
  "overloaded": Status.UNAVAILABLE,
  "stopping": Status.UNAVAILABLE,
};

/**
 * What a handler throws for what was thrown in here. What is not ours stays as
 * it is: the log is told of it, and the client only that it was INTERNAL.
 */
export function toStatusError(thrown: unknown): unknown {
  if (!(thrown instanceof LarderError)) return thrown;
  return new StatusError(STATUS[thrown.code], thrown.message);
}
