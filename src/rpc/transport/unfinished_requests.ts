/**
 * Bounds the requests that have begun and never end.
 *
 * 300 connections that opened 256 calls each, and sent no body, made 500 MiB;
 * bodies that lack a byte cost up to 64 KiB more each. The requests of polite
 * clients are complete within milliseconds, so whoever has been still for
 * longest makes room for the others: one call, or, where a connection has many
 * of them, the connection, for calls that end one by one cost time.
 *
 * @module
 */
import { constants, type ServerHttp2Stream } from "node:http2";
import { type Connection, linkOf } from "./connection.ts";
import { sessionStreams } from "./internals.ts";
import { PIECE_OVERHEAD_BYTES } from "./limits.ts";
import type { ResolvedOptions } from "./options.ts";

/** A connection with more unfinished requests than this loses them together. */
const FEW_REQUESTS = 16;

/** The limits of {@linkcode UnfinishedRequests}. */
export type UnfinishedLimits = Pick<
  ResolvedOptions,
  "maxUnfinishedRequests" | "maxUnfinishedBytes" | "onDrop"
>;

/** The requests of a server that are not complete, the stillest first. */
export class UnfinishedRequests {
  readonly #limits: UnfinishedLimits;
  /** What has come of each, in bytes. */
  readonly #requests = new Map<ServerHttp2Stream, number>();
  #bytes = 0;

  /**
   * @param limits How many there may be, and how large together.
   */
  constructor(limits: UnfinishedLimits) {
    this.#limits = limits;
  }

  /**
   * Notes a request until it is removed, or its stream closes.
   *
   * @param stream The stream of a request that has just begun.
   */
  add(stream: ServerHttp2Stream): void {
    // What came in the packet that began it is there already.
    const costBytes = stream.readableLength + PIECE_OVERHEAD_BYTES;
    this.#bytes += costBytes;
    this.#requests.set(stream, costBytes);
    stream.once("close", () => this.remove(stream));
    this.#makeRoom();
  }

  /**
   * Notes that a piece of a request has come.
   *
   * @param stream The request's stream; one that was removed is not counted.
   * @param bytes The length of the piece.
   */
  arrived(stream: ServerHttp2Stream, bytes: number): void {
    const before = this.#requests.get(stream);
    if (before === undefined) return;
    const costBytes = bytes + PIECE_OVERHEAD_BYTES;
    this.#bytes += costBytes;
    // The map keeps the order of arrivals.
    this.#requests.delete(stream);
    this.#requests.set(stream, before + costBytes);
    this.#makeRoom();
  }

  /**
   * Notes that a message of a streaming request is its handler's by now.
   *
   * @param stream The request's stream; one that was removed is not counted.
   */
  taken(stream: ServerHttp2Stream): void {
    const before = this.#requests.get(stream);
    if (before === undefined) return;
    const costBytes = stream.readableLength + PIECE_OVERHEAD_BYTES;
    this.#bytes += costBytes - before;
    this.#requests.set(stream, costBytes);
  }

  /**
   * Forgets a request.
   *
   * @param stream Its stream: it is complete, has ended, or is counted elsewhere.
   */
  remove(stream: ServerHttp2Stream): void {
    this.#bytes -= this.#requests.get(stream) ?? 0;
    this.#requests.delete(stream);
  }

  #makeRoom(): void {
    const { maxUnfinishedRequests, maxUnfinishedBytes, onDrop } = this.#limits;
    for (const stream of this.#requests.keys()) {
      const fits = this.#requests.size <= maxUnfinishedRequests &&
        this.#bytes <= maxUnfinishedBytes;
      if (fits) return;
      onDrop("unfinished");
      const connection = linkOf(stream)?.connection;
      const dropped = connection && this.#removeMany(connection);
      this.remove(stream);
      // Native code is on the stack, so they are told later. No handler has seen
      // the request: it may be sent again.
      setImmediate(() => {
        if (dropped) connection.drop();
        else stream.close(constants.NGHTTP2_REFUSED_STREAM);
      });
    }
  }

  /** Forgets the requests of a connection, if there are many. */
  #removeMany({ session }: Connection): boolean {
    const streams = [...sessionStreams(session)?.values() ?? []]
      .filter((stream) => this.#requests.has(stream));
    if (streams.length <= FEW_REQUESTS) return false;
    for (const stream of streams) this.remove(stream);
    return true;
  }
}
