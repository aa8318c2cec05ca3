/**
 * How a call ended, as gRPC says it.
 *
 * @module
 */

import type { Metadata } from "./metadata.ts";

/** The status codes of gRPC. */
export const Status = {
  /** It worked. */
  OK: 0,
  /** The client gave up. */
  CANCELLED: 1,
  /** Nobody knows. */
  UNKNOWN: 2,
  /** The request is wrong, whatever the state of the server. */
  INVALID_ARGUMENT: 3,
  /** The time that the client gave is over. */
  DEADLINE_EXCEEDED: 4,
  /** There is no such thing. */
  NOT_FOUND: 5,
  /** There is one already. */
  ALREADY_EXISTS: 6,
  /** The client may not. */
  PERMISSION_DENIED: 7,
  /** A limit was reached. */
  RESOURCE_EXHAUSTED: 8,
  /** The state of the server does not allow it. */
  FAILED_PRECONDITION: 9,
  /** Somebody else was faster. */
  ABORTED: 10,
  /** Beyond the end. */
  OUT_OF_RANGE: 11,
  /** There is no such method, or it cannot do that. */
  UNIMPLEMENTED: 12,
  /** The server is wrong, or the protocol was broken. */
  INTERNAL: 13,
  /** Try again. */
  UNAVAILABLE: 14,
  /** Data are lost or damaged. */
  DATA_LOSS: 15,
  /** The client has to say who it is. */
  UNAUTHENTICATED: 16,
} as const;

/** One of {@linkcode Status}. */
export type StatusCode = typeof Status[keyof typeof Status];

/**
 * What a handler throws to end its call with a status. Anything else that it
 * throws is logged, and the client is told INTERNAL.
 */
export class StatusError extends Error {
  /** Not OK. */
  readonly code: StatusCode;
  /** Sent with the status. */
  readonly trailers: Metadata | undefined;

  /**
   * @param code Any but OK.
   * @param message For people; clients see it.
   * @param trailers Sent with the status.
   */
  constructor(code: StatusCode, message: string, trailers?: Metadata) {
    super(message);
    this.name = "StatusError";
    if (!Number.isInteger(code) || code < 1 || code > 16) {
      throw new RangeError(
        `the status of an error is 1 to 16, not ${code}: return for OK`,
      );
    }
    this.code = code;
    this.trailers = trailers;
  }
}
