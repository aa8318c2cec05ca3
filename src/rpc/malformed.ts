/**
 * What a client is told whose request is no message.
 *
 * @module
 */

import { invalidRequest } from "../errors.ts";
import type { StatusError } from "../grpc/status.ts";
import { toStatusError } from "./status.ts";

/** INVALID_ARGUMENT; `why` says what is wrong, and where. */
export function malformed(why: string): StatusError {
  const error = invalidRequest(
    `it is no well-formed protobuf message (${why})`,
  );
  return toStatusError(error) as StatusError;
}
