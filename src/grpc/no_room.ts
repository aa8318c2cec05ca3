/**
 * What a client is told whose request has no room in memory.
 *
 * @module
 */

import { Status, StatusError } from "./status.ts";

/** The budget gave nothing. */
export function noRoom(refusal: unknown): StatusError {
  return new StatusError(
    Status.RESOURCE_EXHAUSTED,
    `there is no memory for the request: ${
      refusal instanceof Error ? refusal.message : refusal
    }`,
  );
}
