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
  checkStreams(connection, { nowMs, stallMs, isStuck }, options);
  return undefined;
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
): void {
  const { nowMs, stallMs } = at;
  for (const stream of connection.streams.values()) {
    if (stream.localEnded) {
      if (nowMs - stream.answeredMs >= EARLY_ANSWER_MS) {
        connection.endEarlyAnswered(stream);
      }
      continue;
    }
    // What we owe stands in the client's way, and its clocks stand still.
    if (!stream.remoteEnded && stream.receiveWindow <= 0) {
      stream.arrivedMs = nowMs;
      if (stream.movedMs !== 0) stream.movedMs = nowMs;
    } else if (isIdle(stream, nowMs, options)) {
      options.onDrop("idle body");
      stream.reset(ErrorCode.ENHANCE_YOUR_CALM);
    } else if (stream.movedMs === 0) {
      // Nothing is queued for it.
    } else if (at.isStuck) {
      // While the socket is full, it is not the stream that does not move.
      stream.movedMs = nowMs;
    } else if (exceeds(nowMs, stream.movedMs, stallMs)) {
      options.onDrop("stall");
      stream.reset(ErrorCode.ENHANCE_YOUR_CALM);
    }
  }
}

/** Whether a request pauses for too long. */
function isIdle(
  stream: Stream,
  nowMs: number,
  { idleBodyTimeoutMs, isContended }: ResolvedOptions,
): boolean {
  if (stream.remoteEnded) return false;
  const limitMs = stream.isGranted && isContended()
    ? Math.min(CONTENDED_TIMEOUT_MS, idleBodyTimeoutMs || Infinity)
    : idleBodyTimeoutMs;
  return exceeds(nowMs, stream.arrivedMs, limitMs);
}

/** Whether more than a limit has passed; a limit of 0 is none. */
function exceeds(nowMs: number, sinceMs: number, limitMs: number): boolean {
  return limitMs > 0 && nowMs - sinceMs >= limitMs;
}
