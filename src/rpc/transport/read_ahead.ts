/**
 * Keeps grpc-js from reading ahead.
 *
 * It fetches up to 16 messages of a streaming request before its handler asks
 * for them, whatever their size: 1 GiB, where a message may have 64 MiB.
 *
 * @module
 */
import type { Readable } from "node:stream";

/** The field of Node's streams that says how much is fetched ahead. */
interface ReadableInternals {
  _readableState?: { highWaterMark?: number };
}

/**
 * Makes a streaming request fetch a message when it is asked for, and no
 * earlier; what the client sends meanwhile waits at its end of the connection.
 *
 * @param call The first argument of the handler, which has read nothing yet.
 */
export function readOneByOne(call: Readable): void {
  const state = (call as unknown as ReadableInternals)._readableState;
  if (state?.highWaterMark !== undefined) state.highWaterMark = 0;
}
