/**
 * The limits of time, looked at once a second for all connections: a timer for
 * each call would cost more than the call.
 *
 * @module
 */

import type { Http2Connection } from "./connection.ts";
import { ErrorCode } from "./error_codes.ts";
import {
  CONTENDED_TIMEOUT_MS,
  EARLY_ANSWER_MS,
  SETTINGS_TIMEOUT_MS,
} from "./limits.ts";
import type { DropReason, ResolvedOptions } from "./shared_limits.ts";
import type { Stream } from "./stream.ts";

/** What is known of a connection's socket. */
export interface SocketTimes {
  /** When a byte came last. */
  readonly readMs: number;
  /** Since when a write takes nothing; `undefined`: none is under way. */
  readonly stuckMs: number | undefined;
}

/** Ends what is overdue; says why the connection has to go, if it has to. */
export function checkTimes(
  connection: Http2Connection,
  socket: SocketTimes,
  options: ResolvedOptions,
): DropReason | undefined {
  const nowMs = options.nowMs();
  connection.turnMs = nowMs;
  if (isLate(connection, nowMs, options)) return "handshake";
  const { stallTimeoutMs } = options;
  const stallMs = options.isContended()
    ? Math.min(CONTENDED_TIMEOUT_MS, stallTimeoutMs || Infinity)
    : stallTimeoutMs;
  const { stuckMs } = socket;
  if (stuckMs !== undefined && exceeds(nowMs, stuckMs, stallMs)) return "stall";
  if (isSilent(connection, nowMs, socket.readMs, options)) return "keepalive";
  connection.hurryGoodbye(nowMs);
  const isStuck = stuckMs !== undefined;
  return checkStreams(connection, { nowMs, stallMs, isStuck }, options);
}

function isLate(
  connection: Http2Connection,
  nowMs: number,
  { handshakeTimeoutMs }: ResolvedOptions,
): boolean {
  if (connection.isAcknowledged) return false;
  const limitMs = connection.hasSettings
    ? SETTINGS_TIMEOUT_MS
    : handshakeTimeoutMs;
  return exceeds(nowMs, connection.awaitedMs, limitMs);
}

/** Asks a silent client whether it is there; whether it has not answered. */
function isSilent(
  connection: Http2Connection,
  nowMs: number,
  readMs: number,
  { keepaliveMs, keepaliveTimeoutMs }: ResolvedOptions,
): boolean {
  if (connection.pingedMs !== undefined && readMs < connection.pingedMs) {
    return exceeds(nowMs, connection.pingedMs, keepaliveTimeoutMs);
  }
  connection.pingedMs = undefined;
  if (exceeds(nowMs, readMs, keepaliveMs)) connection.ping();
  return false;
}

function checkStreams(
  connection: Http2Connection,
  at: {
    readonly nowMs: number;
    readonly stallMs: number;
    readonly isStuck: boolean;
  },
  options: ResolvedOptions,
): DropReason | undefined {
  const { nowMs, stallMs } = at;
  const stalled: Stream[] = [];
  let writing = 0;
  for (const stream of connection.streams.values()) {
    if (stream.localEnded) {
      if (nowMs - stream.answeredMs >= EARLY_ANSWER_MS) {
        connection.endEarlyAnswered(stream);
      }
      continue;
    }
    if (isIdle(stream, nowMs, options)) {
      options.onDrop("idle body");
      stream.reset(ErrorCode.ENHANCE_YOUR_CALM);
      continue;
    }
    if (stream.movedMs === 0) continue;
    writing++;
    // While the socket is full, it is not the stream that does not move.
    if (at.isStuck) stream.movedMs = nowMs;
    else if (exceeds(nowMs, stream.movedMs, stallMs)) stalled.push(stream);
  }
  if (stalled.length === 0) return undefined;
  // Whoever takes nothing of anything is not there to read its other replies.
  if (stalled.length === writing && writing > 1) return "stall";
  for (const stream of stalled) {
    options.onDrop("stall");
    stream.reset(ErrorCode.ENHANCE_YOUR_CALM);
  }
  return undefined;
}

/** Whether a request pauses for too long; while we owe window it is not its fault. */
function isIdle(
  stream: Stream,
  nowMs: number,
  { idleBodyTimeoutMs, isContended }: ResolvedOptions,
): boolean {
  if (stream.remoteEnded) return false;
  if (stream.receiveWindow <= 0) {
    stream.arrivedMs = nowMs;
    return false;
  }
  const limitMs = stream.isGranted && isContended()
    ? Math.min(CONTENDED_TIMEOUT_MS, idleBodyTimeoutMs || Infinity)
    : idleBodyTimeoutMs;
  return exceeds(nowMs, stream.arrivedMs, limitMs);
}

/** Whether more than a limit has passed; a limit of 0 is none. */
function exceeds(nowMs: number, sinceMs: number, limitMs: number): boolean {
  return limitMs > 0 && nowMs - sinceMs >= limitMs;
}
