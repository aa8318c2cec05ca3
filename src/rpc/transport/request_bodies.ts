/**
 * Watches the bodies of requests that take longer than one packet.
 *
 * @module
 */
import type { ServerHttp2Stream } from "node:http2";
import type { StreamLink } from "./connection.ts";
import type { StreamHandle } from "./internals.ts";

/** The field of Node's streams that says that all has been received. */
interface ReadableInternals {
  _readableState?: { ended?: boolean };
}

/**
 * Whether the whole request has come.
 *
 * @param stream The request's stream.
 * @returns Whether it has; `false` when that cannot be known.
 */
export function requestEnded(stream: ServerHttp2Stream): boolean {
  return stream.readableEnded || stream.endAfterHeaders ||
    (stream as unknown as ReadableInternals)._readableState?.ended === true;
}

/**
 * Counts the pieces of a request that is not complete yet. Most requests are
 * complete by the time grpc-js hears of them, and cost nothing here.
 *
 * @param stream The request's stream.
 * @param handle Its handle.
 * @param link Where the pieces are counted.
 */
export function watchBody(
  stream: ServerHttp2Stream,
  handle: StreamHandle,
  link: StreamLink,
): void {
  const { onread } = handle;
  if (typeof onread !== "function" || requestEnded(stream)) return;
  link.isWhole = false;
  link.receiving = true;
  const { unfinished } = link.connection;
  unfinished?.add(stream);
  handle.onread = function (...args) {
    link.arrivals++;
    const bytes = Number(args[1]);
    // Below zero is the end.
    if (bytes > 0) unfinished?.arrived(stream, bytes);
    else {
      link.isWhole = true;
      unfinished?.remove(stream);
    }
    return onread.apply(this, args);
  };
}
