/**
 * The error codes of RFC 9113, section 7.
 *
 * @module
 */

/** Why a stream or a connection ends. */
export const ErrorCode = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  SETTINGS_TIMEOUT: 4,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  CONNECT_ERROR: 10,
  ENHANCE_YOUR_CALM: 11,
  INADEQUATE_SECURITY: 12,
  HTTP_1_1_REQUIRED: 13,
} as const;

/** Ends a connection: thrown where a frame is taken, caught in one place. */
export class ConnectionError extends Error {
  /** What GOAWAY says. */
  readonly code: number;

  /** The reason goes to the client, as debug data. */
  constructor(code: number, reason: string) {
    super(reason);
    this.code = code;
  }
}

/** Ends a connection whose client broke a rule that has no code of its own. */
export function protocolError(reason: string): never {
  throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, reason);
}
