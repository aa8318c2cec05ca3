/**
 * Calls that last for as long as somebody looks: how long says nothing of how
 * fast the server is, and their end is that somebody looks no more.
 *
 * @module
 */

import { Status, type StatusCode } from "../grpc/status.ts";

const LASTING = /(^|\/)Watch$/;

/** Whether those of a method last; a path, or what is behind its last slash. */
export function doesLast(method: string): boolean {
  return LASTING.test(method);
}

/** Whether a call of a method has failed that ended so. */
export function hasFailed(code: StatusCode, method: string): boolean {
  if (code === Status.OK) return false;
  return code !== Status.CANCELLED || !doesLast(method);
}
