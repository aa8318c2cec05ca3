/**
 * What a client reports as an error, as one class with stable codes.
 *
 * @module
 */

import { status } from "@grpc/grpc-js";
import { messageOf } from "../errors.ts";

/** The stable code of a {@linkcode CacheError}. */
export type CacheErrorCode =
  /** The server does not answer. */
  | "unavailable"
  /** The server does not have this method: it is an original, or older. */
  | "unimplemented"
  /** The server does not take the namespace, the key or the id. */
  | "invalid"
  /** The assignment is not ours any more: somebody else has the work. */
  | "lost"
  /** The value cannot be kept: it is too large, or there is no room. */
  | "full"
  /** The value cannot be taken away: it is being read or computed. */
  | "in-use"
  /** The deadline of the call has passed. */
  | "deadline"
  /** The cache has been closed. */
  | "closed"
  /** Anything else that went wrong with a server. */
  | "failed";

/** An error of the cache, not of what is computed. */
export class CacheError extends Error {
  /** The stable code. */
  readonly code: CacheErrorCode;

  /** The message says what to do, where something can be done. */
  constructor(code: CacheErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "CacheError";
    this.code = code;
  }
}

/**
 * What a failed call means. INTERNAL and CANCELLED are how grpc-js reports a
 * connection that went in the middle of a call; nothing we call is harmed by
 * another attempt.
 */
const CODES: { readonly [code in status]?: CacheErrorCode } = {
  [status.UNAVAILABLE]: "unavailable",
  [status.INTERNAL]: "unavailable",
  [status.CANCELLED]: "unavailable",
  [status.DEADLINE_EXCEEDED]: "unavailable",
  [status.UNIMPLEMENTED]: "unimplemented",
  [status.INVALID_ARGUMENT]: "invalid",
  [status.RESOURCE_EXHAUSTED]: "full",
};

/** What grpc-js says when no gRPC server has answered. */
const HTTP = /^Received HTTP status code (\d+)$/;
/** How proxies say that they reach nobody. */
const AWAY_BEHIND: ReadonlySet<string> = new Set(["502", "503", "504"]);
/** How it says that it does not know why there is no connection. */
const UNSAID = /^(undefined|null|Failed to connect|Protocol error)?$/;
/** When that was, which is now. */
const DATE = / \(\d+-\d+-\d+T[\d:.]+Z\)$/;

/**
 * How it says that the answer was none of a gRPC server: the second one when the
 * connection has ended between its first frame and the call.
 */
const NO_STATUS =
  /Call ended without gRPC status|^Failed to start HTTP\/2 stream/;

/** What the system says of a Unix domain socket. */
const NO_SOCKET = /^connect (E[A-Z]+) (\/.*)$/;
/** The same in words, before the path. */
const SOCKETS: Readonly<Record<string, string>> = {
  ENOENT: "there is no socket",
  ENOTDIR: "there is no socket",
  ECONNREFUSED: "no server answers at the socket",
  EACCES: "this user may not connect to the socket",
};

/** What is said where nobody says why there is none. */
const NO_CONNECTION = "no connection";

/** What there is where calls are ended so. */
export const NO_GRPC: string =
  "what answers there ends the call as no gRPC server does, so it may be the " +
  "wrong port";

/** What grpc-js says when a server has reset a call with ENHANCE_YOUR_CALM. */
const CALMED = "Bandwidth exhausted or memory limit exceeded";

/**
 * Makes a {@linkcode CacheError} of whatever a call failed with.
 *
 * @param error What was thrown.
 * @param action What was tried, and where: it begins the message.
 * @returns The error; one that is a `CacheError` already comes back as it is.
 */
export function asCacheError(error: unknown, action: string): CacheError {
  if (error instanceof CacheError) return error;
  const { code, details } = error as { code?: status; details?: string };
  const why = plainReason(details ?? messageOf(error));
  // No gRPC server has answered: nothing is known of its calls.
  const isForeign = code === status.UNIMPLEMENTED && HTTP.test(details ?? "");
  const known = typeof code === "number" && !isForeign
    ? CODES[code]
    : undefined;
  return new CacheError(known ?? "failed", `${action}: ${why}`, {
    cause: error,
  });
}

/**
 * What a call fails with when nothing comes: as grpc-js would say it, so that
 * whoever has called adds the server, the proxy and what was tried.
 */
export function noAnswer(details: string): Error {
  return Object.assign(new Error(details), {
    code: status.UNAVAILABLE,
    details,
  });
}

/** What a call fails with when nothing has come for so long. */
export function silence(what: string, ms: number): Error {
  const error = noAnswer(`${what} within ${roundedMs(ms)} ms`);
  return Object.assign(error, { silentMs: roundedMs(ms) });
}

/** What one call fails with on a connection that may well be alive. */
export function unanswered(ms: number): Error {
  const code = status.DEADLINE_EXCEEDED;
  return Object.assign(silence("no answer", ms), { code });
}

/**
 * The error of a call that was tried several times, when it is given up: of an
 * attempt at which nothing has come, it says for how long that was so in all.
 */
export function givenUp(error: CacheError, ms: number): CacheError {
  const { silentMs } = (error.cause ?? {}) as { silentMs?: number };
  if (silentMs === undefined) return error;
  const message = error.message.replace(
    `within ${silentMs} ms`,
    `within ${roundedMs(ms)} ms`,
  );
  return new CacheError(error.code, message, { cause: error.cause });
}

/** Nobody wants to know it better than to a tenth of a second. */
function roundedMs(ms: number): number {
  return Math.round(ms / 100) * 100;
}

/** What went wrong, without what grpc-js says around it. */
export function plainReason(details: string): string {
  if (details === CALMED) {
    return "the server has ended the call: it waited too long for the client " +
      "to send or to read, or is short of memory; try again";
  }
  const [, http] = HTTP.exec(details) ?? [];
  if (http !== undefined) {
    const behind = AWAY_BEHIND.has(http)
      ? ": a proxy whose server is away, or the wrong port"
      : ", so it may be the wrong port";
    return `an HTTP server answers there with status ${http}, and no Larder` +
      behind;
  }
  if (NO_STATUS.test(details)) return NO_GRPC;
  const reason = details.replace(/^Cannot publish assignment \d+: /, "")
    .replace(
      /^No connection established\. Last error: (?:Error: )?(.*?)\.? Resolution note:.*$/s,
      "$1",
    ).replace(DATE, "");
  const [, code = "", path = ""] = NO_SOCKET.exec(reason) ?? [];
  const socket = SOCKETS[code];
  if (socket !== undefined) return `${socket} ${path} (${code})`;
  return UNSAID.test(reason) ? NO_CONNECTION : reason;
}

/** Whether an error has this code. */
export function hasCode(
  error: unknown,
  code: CacheErrorCode,
): error is CacheError {
  return error instanceof CacheError && error.code === code;
}
