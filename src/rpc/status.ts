/**
 * The one table from error codes to gRPC status.
 *
 * @module
 */

import { status } from "@grpc/grpc-js";
import { type ErrorCode, LarderError } from "../errors.ts";

const STATUS: Record<ErrorCode, status> = {
  "invalid-assignment-id": status.INVALID_ARGUMENT,
  "invalid-handle-id": status.INVALID_ARGUMENT,
  "invalid-namespace": status.INVALID_ARGUMENT,
  "key-too-large": status.INVALID_ARGUMENT,
  "invalid-request": status.INVALID_ARGUMENT,
  "no-file": status.FAILED_PRECONDITION,
  "in-use": status.FAILED_PRECONDITION,
  "wrong-digest": status.DATA_LOSS,
  "not-found": status.NOT_FOUND,
  "not-local": status.FAILED_PRECONDITION,
  "value-too-large": status.RESOURCE_EXHAUSTED,
  "storage-full": status.RESOURCE_EXHAUSTED,
  "storage-failed": status.UNAVAILABLE,
  "manifest-failed": status.UNAVAILABLE,
  "overloaded": status.UNAVAILABLE,
  "stopping": status.UNAVAILABLE,
};

/** What grpc-js takes for an error. */
export interface GrpcError {
  /** The gRPC status. */
  readonly code: status;
  /** The message for the client. */
  readonly details: string;
}

/** Maps anything that was thrown; what is not ours says nothing of the inside. */
export function toGrpcError(thrown: unknown): GrpcError {
  if (thrown instanceof LarderError) {
    return { code: STATUS[thrown.code], details: thrown.message };
  }
  return {
    code: status.INTERNAL,
    details: "internal error: the server's log says more",
  };
}
