/**
 * Keeps a call on a dying stream from ending the process.
 *
 * When one packet holds HEADERS for an unknown method and GOAWAY with an error,
 * the stream is destroyed before grpc-js hears of it; grpc-js answers with
 * UNIMPLEMENTED all the same, and that throws where nobody catches.
 *
 * @module
 */
import { constants, type ServerHttp2Stream } from "node:http2";
import { linkOf } from "./connection.ts";

/** What `node:http2` emits as `stream`. */
export type StreamListener = (
  stream: ServerHttp2Stream,
  ...rest: unknown[]
) => void;

/**
 * Wraps the listeners of a server's `stream` event.
 *
 * @param listeners The listeners.
 * @param warn Told of what a listener threw.
 * @returns One listener that calls them all.
 */
export function guardStreams(
  listeners: StreamListener[],
  warn: (message: string) => void,
): StreamListener {
  return (stream, ...rest) => {
    // An 'error' that nobody listens to would end the process as well.
    stream.on("error", () => {});
    if (stream.destroyed || stream.closed || linkOf(stream)?.refused) return;
    try {
      for (const listener of listeners) listener(stream, ...rest);
    } catch (error) {
      // Destroyed in the meantime: there is nobody left to answer.
      if (stream.destroyed || stream.closed) return;
      warn(`Cannot serve a call, it is refused: ${error}`);
      stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    }
  };
}
