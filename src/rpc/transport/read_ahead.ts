/**
 * Streaming requests, a message at a time.
 *
 * grpc-js fetches up to 16 messages of a streaming request before its handler
 * asks for them, whatever their size: 1 GiB, where a message may have 64 MiB.
 *
 * @module
 */
import type { Readable } from "node:stream";
import { invalidRequest } from "../../errors.ts";
import { linkOf, streamOf } from "./connection.ts";

/** The field of Node's streams that says how much is fetched ahead. */
interface ReadableInternals {
  _readableState?: { highWaterMark?: number };
}

/**
 * Reads a streaming request with one message fetched ahead, at most. What the
 * client sends beyond that waits at its end of the connection.
 *
 * @param call The first argument of the handler, which has read nothing yet.
 * @returns The messages; throws where the request breaks off.
 */
export async function* readOneByOne<Message>(
  call: Readable & AsyncIterable<Message>,
): AsyncGenerator<Message> {
  const state = (call as unknown as ReadableInternals)._readableState;
  if (state?.highWaterMark !== undefined) state.highWaterMark = 0;
  const stream = streamOf(call);
  const unfinished = stream && linkOf(stream)?.connection.unfinished;
  for await (const message of call) {
    // It is its handler's now: what has come of the request is this no more.
    if (stream) unfinished?.taken(stream);
    yield message;
  }
  // A stream that is reset, or whose connection closes, ends as a whole one does.
  if (stream && linkOf(stream)?.isWhole === false) {
    throw invalidRequest("it broke off");
  }
}
