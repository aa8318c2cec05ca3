/**
 * Bounds how many calls are open, whatever they wait for.
 *
 * A call that waits, for somebody's work or for a reader who gives no window,
 * keeps its stream and its objects: 300 connections with 256 calls each made
 * 1.3 GB. To wait is no reason to lose a call, so when there are too many it is
 * newcomers who are refused, of those connections that have their share already:
 * a client with few calls is always served.
 *
 * @module
 */
import type { ServerHttp2Stream } from "node:http2";
import type { Connection } from "./connection.ts";

/** What connections get of the limit together once it is reached. */
const SHARED_FRACTION = 1 / 2;
/** Everybody gets as many: a client that waits has to send heartbeats, too. */
const MIN_SHARE = 4;

/** The open calls of a server. */
export class OpenCalls {
  readonly #maxCalls: number;
  #calls = 0;
  /** Connections with calls. */
  #callers = 0;

  /**
   * @param maxCalls From here on connections get no more than their share: half as
   * many together, or a few for each.
   */
  constructor(maxCalls: number) {
    this.#maxCalls = maxCalls;
  }

  /**
   * Counts a new call until its stream closes.
   *
   * @param stream Its stream.
   * @param connection Its connection.
   * @returns Whether it may stay.
   */
  add(stream: ServerHttp2Stream, connection: Connection): boolean {
    if (this.#calls >= this.#maxCalls) {
      const share = this.#maxCalls * SHARED_FRACTION / this.#callers;
      if (connection.openCalls >= Math.max(MIN_SHARE, share)) return false;
    }
    this.#calls++;
    if (connection.openCalls++ === 0) this.#callers++;
    stream.once("close", () => {
      this.#calls--;
      if (--connection.openCalls === 0) this.#callers--;
    });
    return true;
  }
}
