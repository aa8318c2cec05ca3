/**
 * Enforces the limits of time, for all connections of a server with one timer.
 * A timer for each connection and call would be on the hot path: clients that
 * connect once per call are normal.
 *
 * @module
 */
import { constants, type ServerHttp2Stream } from "node:http2";
import { clearInterval, setInterval } from "node:timers";
import { type Connection, linkOf, type StreamLink } from "./connection.ts";
import { sessionStreams } from "./internals.ts";
import { requestEnded } from "./request_bodies.ts";
import type { DropReason, ResolvedOptions } from "./options.ts";

/** The limits that a {@linkcode Sweeper} enforces. */
export type SweptLimits = Pick<
  ResolvedOptions,
  | "stallTimeoutMs"
  | "contendedStallTimeoutMs"
  | "isContended"
  | "handshakeTimeoutMs"
  | "idleBodyTimeoutMs"
  | "lingerTimeoutMs"
  | "sweepIntervalMs"
  | "onDrop"
>;

/** Looks after the open connections of one server. */
export class Sweeper {
  readonly #limits: SweptLimits;
  readonly #connections = new Set<Connection>();
  #timer: ReturnType<typeof setInterval> | undefined;

  /**
   * @param limits The limits to enforce.
   */
  constructor(limits: SweptLimits) {
    this.#limits = limits;
  }

  /** How many connections are open. */
  get size(): number {
    return this.#connections.size;
  }

  /**
   * Watches a connection until it is removed.
   *
   * @param connection A new connection.
   */
  add(connection: Connection): void {
    this.#connections.add(connection);
    if (this.#timer !== undefined) return;
    const sweep = () => this.sweep(Date.now());
    this.#timer = setInterval(sweep, this.#limits.sweepIntervalMs);
    this.#timer.unref();
  }

  /**
   * Notes that a connection is in use: the set keeps the order of that.
   *
   * @param connection A connection that is watched.
   */
  touch(connection: Connection): void {
    if (this.#connections.delete(connection)) this.#connections.add(connection);
  }

  /**
   * Says goodbye to the connection that has been without a call for longest, so
   * that those who sit there do not keep newcomers out.
   *
   * @param newcomer The connection that needs the place.
   * @returns Whether there was an idle one.
   */
  dismissIdle(newcomer: Connection): boolean {
    for (const connection of this.#connections) {
      if (connection === newcomer) continue;
      const calls = sessionStreams(connection.session)?.size;
      if (calls !== 0 || connection.gone) continue;
      if (connection.endedMs !== undefined || connection.session.closed) {
        continue;
      }
      this.#limits.onDrop("crowded");
      connection.session.close();
      // Nothing is on its way to it: the place is free at once.
      setImmediate(() => connection.drop());
      return true;
    }
    return false;
  }

  /**
   * Forgets a connection.
   *
   * @param connection A connection whose socket is closed.
   */
  remove(connection: Connection): void {
    this.#connections.delete(connection);
  }

  /** Stops watching. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /**
   * Looks at every connection once.
   *
   * @param nowMs The time.
   */
  sweep(nowMs: number): void {
    // Without connections the timer rests until the next one.
    if (this.#connections.size === 0) return this.stop();
    for (const connection of this.#connections) {
      const reason = this.#overdue(connection, nowMs);
      if (reason !== undefined) this.#drop(connection, reason);
    }
  }

  #overdue(connection: Connection, nowMs: number): DropReason | undefined {
    const limits = this.#limits;
    if (connection.endedMs !== undefined) {
      const lingers = nowMs - connection.endedMs >= limits.lingerTimeoutMs;
      return lingers ? "linger" : undefined;
    }
    if (!connection.handshaken) {
      const late = exceeds(
        nowMs,
        connection.openedMs,
        limits.handshakeTimeoutMs,
      );
      return late ? "handshake" : undefined;
    }
    const stallMs = limits.isContended()
      ? Math.min(limits.contendedStallTimeoutMs, limits.stallTimeoutMs)
      : limits.stallTimeoutMs;
    const wasBlocked = takePulse(connection, nowMs);
    const { stuckMs } = connection;
    if (stuckMs > 0 && exceeds(nowMs, stuckMs, stallMs)) return "stall";
    return this.#sweepStreams(connection, { nowMs, stallMs, wasBlocked });
  }

  #sweepStreams(
    connection: Connection,
    at: { nowMs: number; stallMs: number; wasBlocked: boolean },
  ): DropReason | undefined {
    const stalled: ServerHttp2Stream[] = [];
    let writing = 0;
    for (const stream of sessionStreams(connection.session)?.values() ?? []) {
      const link = linkOf(stream);
      if (link === undefined || stream.destroyed || stream.closed) continue;
      this.#checkBody(stream, link, at.nowMs);
      if (stream.writableLength === 0) {
        link.movedMs = 0;
        continue;
      }
      writing++;
      // While the socket is full, it is not the stream that does not move.
      const moved = link.moves !== link.movesSeen || link.movedMs === 0 ||
        at.wasBlocked;
      if (moved) {
        link.movesSeen = link.moves;
        link.movedMs = at.nowMs;
      } else if (exceeds(at.nowMs, link.movedMs, at.stallMs)) {
        stalled.push(stream);
      }
    }
    if (stalled.length === 0) return undefined;
    const nothingMoves = stalled.length === writing &&
      exceeds(at.nowMs, connection.movedMs, at.stallMs);
    if (nothingMoves) return "stall";
    for (const stream of stalled) this.#end(stream, "stall");
    return undefined;
  }

  #checkBody(
    stream: ServerHttp2Stream,
    link: StreamLink,
    nowMs: number,
  ): void {
    if (!link.receiving) return;
    if (requestEnded(stream)) {
      link.receiving = false;
    } else if (
      link.arrivals !== link.arrivalsSeen || link.arrivedMs === 0 ||
      link.waiting || stream.isPaused()
    ) {
      link.arrivalsSeen = link.arrivals;
      link.arrivedMs = nowMs;
    } else if (exceeds(nowMs, link.arrivedMs, this.#limits.idleBodyTimeoutMs)) {
      this.#end(stream, "idleBody");
    }
  }

  #end(stream: ServerHttp2Stream, reason: DropReason): void {
    this.#limits.onDrop(reason);
    stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  #drop(connection: Connection, reason: DropReason): void {
    this.#limits.onDrop(reason);
    connection.drop();
  }
}

/**
 * Notes what has left since the last sweep.
 *
 * @returns Whether the socket was full at any time since then.
 */
function takePulse(connection: Connection, nowMs: number): boolean {
  const waitingBytes = connection.socket?.writableLength ?? 0;
  const leftBytes = connection.bytesSent - waitingBytes;
  const moved = leftBytes !== connection.leftBytesSeen;
  connection.leftBytesSeen = leftBytes;
  if (moved) connection.movedMs = nowMs;
  if (moved || waitingBytes === 0) connection.stuckMs = 0;
  else connection.stuckMs ||= nowMs;

  const { blocks } = connection;
  const wasBlocked = connection.blocked || blocks !== connection.blocksSeen;
  connection.blocksSeen = blocks;
  return wasBlocked;
}

/** Whether more than a limit has passed; a limit of 0 is none. */
function exceeds(nowMs: number, sinceMs: number, limitMs: number): boolean {
  return limitMs > 0 && nowMs - sinceMs >= limitMs;
}
