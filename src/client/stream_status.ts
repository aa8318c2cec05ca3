/**
 * With which status a call has ended, by what HTTP/2 says of its stream: in the
 * words of grpc-js, which the rest of the library knows.
 *
 * @module
 */

import { status, type StatusObject } from "@grpc/grpc-js";
import { constants, type IncomingHttpHeaders } from "node:http2";

/** How a call has ended. */
export type CallStatus = Pick<StatusObject, "code" | "details">;

/** What is known of a stream that has ended without a status of its server. */
export interface EndedStream {
  /** With what it was reset; 0: it was not. */
  readonly rstCode: number | undefined;
  /** Of the answer, where there was one. */
  readonly httpStatus: number | undefined;
  /** Whether the connection is gone. */
  readonly isDropped: boolean;
  /** What went wrong on this side. */
  readonly error: Error | undefined;
}

/** What a server says at the end of a call; `undefined`: it does not say it. */
export function statusOf(headers: IncomingHttpHeaders): CallStatus | undefined {
  const code = headers["grpc-status"];
  if (code === undefined) return undefined;
  return { code: Number(code), details: decoded(headers["grpc-message"]) };
}

/** What it comes to when a server has not said it. */
export function statusWithout(stream: EndedStream): CallStatus {
  const { rstCode = 0, httpStatus, isDropped, error } = stream;
  const isReset = rstCode !== constants.NGHTTP2_NO_ERROR;
  if (!isReset && httpStatus !== undefined && httpStatus !== 200) {
    return {
      code: HTTP_CODES[httpStatus] ?? status.UNKNOWN,
      details: `Received HTTP status code ${httpStatus}`,
    };
  }
  if (isDropped || isCut(error)) {
    const details = isCut(error) ? error!.message : "Connection dropped";
    return { code: status.UNAVAILABLE, details };
  }
  const details = `Received RST_STREAM with code ${rstCode}`;
  if (!isReset) {
    const why = "Call ended without gRPC status";
    return { code: status.INTERNAL, details: `${details} (${why})` };
  }
  return RESETS[rstCode] ?? {
    code: status.INTERNAL,
    details: error ? `${details}: ${error.message}` : details,
  };
}

const HTTP_CODES: Readonly<Record<number, status>> = {
  400: status.INTERNAL,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  404: status.UNIMPLEMENTED,
  429: status.UNAVAILABLE,
  502: status.UNAVAILABLE,
  503: status.UNAVAILABLE,
  504: status.UNAVAILABLE,
};

const RESETS: Readonly<Record<number, CallStatus>> = {
  [constants.NGHTTP2_REFUSED_STREAM]: {
    code: status.UNAVAILABLE,
    details: "Stream refused by server",
  },
  [constants.NGHTTP2_CANCEL]: {
    code: status.CANCELLED,
    details: "Call cancelled",
  },
  [constants.NGHTTP2_ENHANCE_YOUR_CALM]: {
    code: status.RESOURCE_EXHAUSTED,
    details: "Bandwidth exhausted or memory limit exceeded",
  },
  [constants.NGHTTP2_INADEQUATE_SECURITY]: {
    code: status.PERMISSION_DENIED,
    details: "Protocol not secure enough",
  },
};

function isCut(error: Error | undefined): boolean {
  const { code } = (error ?? {}) as { code?: string };
  return code === "ECONNRESET" || code === "ETIMEDOUT" || code === "EPIPE";
}

/** `grpc-message` is percent-encoded; what is not so is left as it is. */
function decoded(message: string | string[] | undefined): string {
  const text = String(message ?? "");
  try {
    return decodeURI(text);
  } catch {
    return text;
  }
}
