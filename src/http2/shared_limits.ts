/**
 * What all connections of a process share, whichever listener they came by.
 *
 * @module
 */

import * as limits from "./limits.ts";

/** Why a client lost its connection, or its call. */
export type DropReason =
  /** Idle, while others needed the place. */
  | "crowded"
  /** No SETTINGS, or no acknowledgement of ours, in time. */
  | "handshake"
  /** Took nothing of what it asked for. */
  | "stall"
  /** Sent nothing more of a request. */
  | "idle body"
  /** Did not answer a PING. */
  | "keepalive"
  /** Took nothing of the last bytes. */
  | "linger";

/** What a process may say about its connections; times of 0 ms are for ever. */
export interface SharedOptions {
  /** Gets a line for each thing that deserves an operator's eye. */
  readonly warn: (message: string, cause?: unknown) => void;
  /** Told of every client that loses something, for metrics. */
  readonly onDrop?: (reason: DropReason) => void;
  /** Connections open at once, of all listeners. */
  readonly maxConnections?: number;
  /** Streams open at once on one connection. */
  readonly maxStreams?: number;
  /** From the accepted connection to the client's SETTINGS. */
  readonly handshakeTimeoutMs?: number;
  /** Between two pieces of one request's body. */
  readonly idleBodyTimeoutMs?: number;
  /** How long a reply may not move. */
  readonly stallTimeoutMs?: number;
  /** After how long without a byte a client is asked whether it is there. */
  readonly keepaliveMs?: number;
  /** How long it may take to answer. */
  readonly keepaliveTimeoutMs?: number;
  /** Whether others wait for the memory that stalled calls hold. */
  readonly isContended?: () => boolean;
  /** Milliseconds on a clock that only goes forward. */
  readonly nowMs?: () => number;
}

/** The same with every default filled in. */
export type ResolvedOptions = Required<SharedOptions>;

/** Fills in the defaults. */
export function resolveOptions(options: SharedOptions): ResolvedOptions {
  return {
    onDrop: () => {},
    maxConnections: limits.DEFAULT_MAX_CONNECTIONS,
    maxStreams: limits.DEFAULT_MAX_STREAMS,
    handshakeTimeoutMs: limits.DEFAULT_HANDSHAKE_TIMEOUT_MS,
    idleBodyTimeoutMs: limits.DEFAULT_IDLE_BODY_TIMEOUT_MS,
    stallTimeoutMs: limits.DEFAULT_STALL_TIMEOUT_MS,
    keepaliveMs: limits.DEFAULT_KEEPALIVE_MS,
    keepaliveTimeoutMs: limits.DEFAULT_KEEPALIVE_TIMEOUT_MS,
    isContended: () => false,
    nowMs: () => performance.now(),
    ...options,
  };
}
