/**
 * What a caller may say about the transport.
 *
 * @module
 */
import type { ServerOptions } from "@grpc/grpc-js";
import * as limits from "./limits.ts";

/**
 * The cures by name; all are on. Only tests switch one off, to show that the
 * test fails without it.
 */
export interface Cures {
  /** Close and destroy wait until native code has returned. */
  deferredClose: boolean;
  /** Calls on streams that are already gone cannot throw. */
  guardedStreams: boolean;
  /** Frames leave through our own drain loop. */
  drainLoop: boolean;
  /** Replies enter native memory in slices. */
  slicedWrites: boolean;
  /** A connection with too many streams is dropped. */
  streamFlood: boolean;
  /** The limits of time are enforced. */
  sweep: boolean;
  /** A session ends with its socket. */
  socketClose: boolean;
  /** One connection too many is refused, or costs an idle one its place. */
  maxConnections: boolean;
  /** A wrong content type is answered with 415. */
  mediaType: boolean;
  /** Clients may send more than 64 KiB ahead. */
  receiveWindows: boolean;
  /** Last frames leave before a session closes. */
  closingFlush: boolean;
  /** Requests that never end make room for others. */
  unfinishedRequests: boolean;
  /** Calls that stay open are bounded, fairly. */
  openCalls: boolean;
  /** Who cuts his request to shreds is dropped. */
  shreds: boolean;
}

/** Why a client lost its connection, or its call. */
export type DropReason =
  /** Idle, while others needed the place. */
  | "crowded"
  /** More streams than allowed. */
  | "streamFlood"
  /** No SETTINGS in time. */
  | "handshake"
  /** Took nothing of what it asked for. */
  | "stall"
  /** Sent nothing more of a request. */
  | "idleBody"
  /** Had begun a request and was stillest, while others needed the place. */
  | "unfinished"
  /** Had more than its share of open calls, of which there were too many. */
  | "manyCalls"
  /** Sent a request in a great many tiny pieces. */
  | "shreds"
  /** Took nothing of the last bytes of a session that had ended. */
  | "linger";

/** What the transport needs of a budget for requests. */
export interface RequestBudget {
  /** Whether somebody waits; uploads that pause are given less time then. */
  readonly contended: boolean;
  /** Takes bytes for a connection. */
  take(
    connection: object,
    bytes: number,
    signal?: AbortSignal,
  ): Releasable | Promise<Releasable>;
}

/** Bytes that were taken. */
export interface Releasable {
  /** Gives them back. */
  release(): void;
}

/** Options of {@linkcode createHardenedServer}; every limit has a default. */
export interface TransportOptions {
  /** Gets one line for each thing that deserves an operator's eye. */
  warn: (message: string) => void;
  /** Told of every client that loses its connection or call, for metrics. */
  onDrop?: (reason: DropReason) => void;
  /** Passed on to grpc-js. */
  serverOptions?: ServerOptions;
  /** Connections open at once; keep it below the descriptor limit. */
  maxConnections?: number;
  /** Calls open at once on one connection, announced to the client. */
  maxConcurrentStreams?: number;
  /** Streams a session may know of before its connection is dropped. */
  maxTrackedStreams?: number;
  /** Bytes waiting in one socket before no more frames are made. */
  socketHighWaterBytes?: number;
  /** Bytes of one reply in native memory at a time. */
  sliceBytes?: number;
  /** A reply that does not move for this long loses its call; 0 is never. */
  stallTimeoutMs?: number;
  /**
   * The same while `isContended` says that others wait; and for an upload that
   * holds a part of the request budget while others wait for it.
   */
  contendedStallTimeoutMs?: number;
  /** Whether others wait for the memory that stalled replies hold. */
  isContended?: () => boolean;
  /**
   * Counts large requests from the moment that their first 64 KiB have come
   * until their call has ended. A request that must wait for room is not read
   * from; everything else on its connection goes on.
   */
  requestBudget?: RequestBudget;
  /** From the accepted connection to the client's SETTINGS; 0 is for ever. */
  handshakeTimeoutMs?: number;
  /**
   * Between two pieces of one request's body; 0 is for ever. Counts the pauses
   * between the messages of a streaming request, too.
   */
  idleBodyTimeoutMs?: number;
  /** Requests that have begun and not ended, on all connections together. */
  maxUnfinishedRequests?: number;
  /** Bytes of those that the request budget does not count. */
  maxUnfinishedBytes?: number;
  /** Open calls on all connections; above it each gets no more than its share. */
  maxOpenCalls?: number;
  /** After how long a client is asked whether it is still there. */
  keepaliveMs?: number;
  /** How long it may take to answer. */
  keepaliveTimeoutMs?: number;
  /** For the last bytes to leave after a session ended. */
  lingerTimeoutMs?: number;
  /** How often the limits of time are checked. */
  sweepIntervalMs?: number;
  /** How much of one request may arrive before the client must wait. */
  streamReceiveWindowBytes?: number;
  /** The same for all requests of one connection. */
  connectionReceiveWindowBytes?: number;
}

/** The options with every default filled in. */
export interface ResolvedOptions
  extends Required<Omit<TransportOptions, "serverOptions" | "requestBudget">> {
  /** Where large requests are counted, if anywhere. */
  requestBudget: RequestBudget | undefined;
  /** Which cures are on. */
  cures: Cures;
}

const ALL_CURES: Cures = {
  deferredClose: true,
  guardedStreams: true,
  drainLoop: true,
  slicedWrites: true,
  streamFlood: true,
  sweep: true,
  socketClose: true,
  maxConnections: true,
  mediaType: true,
  receiveWindows: true,
  closingFlush: true,
  unfinishedRequests: true,
  openCalls: true,
  shreds: true,
};

/**
 * Fills in the defaults.
 *
 * @param options What the caller said.
 * @param cures Cures to switch off, for tests.
 * @returns The options with every limit present.
 */
export function resolveOptions(
  options: TransportOptions,
  cures: Partial<Cures> = {},
): ResolvedOptions {
  return {
    warn: options.warn,
    onDrop: options.onDrop ?? (() => {}),
    maxConnections: options.maxConnections ?? limits.DEFAULT_MAX_CONNECTIONS,
    maxConcurrentStreams: options.maxConcurrentStreams ??
      limits.DEFAULT_MAX_CONCURRENT_STREAMS,
    maxTrackedStreams: options.maxTrackedStreams ??
      limits.DEFAULT_MAX_TRACKED_STREAMS,
    socketHighWaterBytes: options.socketHighWaterBytes ??
      limits.DEFAULT_SOCKET_HIGH_WATER_BYTES,
    sliceBytes: options.sliceBytes ?? limits.DEFAULT_SLICE_BYTES,
    stallTimeoutMs: options.stallTimeoutMs ?? limits.DEFAULT_STALL_TIMEOUT_MS,
    contendedStallTimeoutMs: options.contendedStallTimeoutMs ??
      limits.DEFAULT_CONTENDED_STALL_TIMEOUT_MS,
    isContended: options.isContended ?? (() => false),
    requestBudget: options.requestBudget,
    handshakeTimeoutMs: options.handshakeTimeoutMs ??
      limits.DEFAULT_HANDSHAKE_TIMEOUT_MS,
    idleBodyTimeoutMs: options.idleBodyTimeoutMs ??
      limits.DEFAULT_IDLE_BODY_TIMEOUT_MS,
    maxUnfinishedRequests: options.maxUnfinishedRequests ??
      limits.DEFAULT_MAX_UNFINISHED_REQUESTS,
    maxUnfinishedBytes: options.maxUnfinishedBytes ??
      limits.DEFAULT_MAX_UNFINISHED_BYTES,
    maxOpenCalls: options.maxOpenCalls ?? limits.DEFAULT_MAX_OPEN_CALLS,
    keepaliveMs: options.keepaliveMs ?? limits.DEFAULT_KEEPALIVE_MS,
    keepaliveTimeoutMs: options.keepaliveTimeoutMs ??
      limits.DEFAULT_KEEPALIVE_TIMEOUT_MS,
    lingerTimeoutMs: options.lingerTimeoutMs ??
      limits.DEFAULT_LINGER_TIMEOUT_MS,
    sweepIntervalMs: options.sweepIntervalMs ?? limits.SWEEP_INTERVAL_MS,
    streamReceiveWindowBytes: options.streamReceiveWindowBytes ??
      limits.DEFAULT_STREAM_RECEIVE_WINDOW_BYTES,
    connectionReceiveWindowBytes: options.connectionReceiveWindowBytes ??
      limits.DEFAULT_CONNECTION_RECEIVE_WINDOW_BYTES,
    cures: { ...ALL_CURES, ...cures },
  };
}
