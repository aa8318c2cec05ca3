/**
 * Header blocks of the client: they open streams, or end them as trailers.
 *
 * @module
 */

import { ConnectionError, ErrorCode } from "./error_codes.ts";
import type { HeaderBlock } from "./header_block.ts";
import {
  encodeHeaders,
  type HeaderSink,
  HpackDecoder,
  HpackError,
} from "./hpack/mod.ts";
import {
  MAX_DECODED_HEADER_BYTES,
  MAX_HEADER_LIST_BYTES,
  RESET_COST,
} from "./limits.ts";
import type { OpenStreams } from "./open_streams.ts";
import { HeadBuilder } from "./request_head.ts";
import type { ClientSettings } from "./settings.ts";
import type { Stream } from "./stream.ts";
import type { RequestHandler } from "./stream_api.ts";

const TOO_LARGE = encodeHeaders([[":status", "431"]]);
const NO_SINK: HeaderSink = { header() {} };

/** What requests need of their connection. */
export interface RequestsOptions {
  readonly streams: OpenStreams;
  readonly clientSettings: ClientSettings;
  readonly handler: RequestHandler;
  readonly maxStreams: number;
  /** A stream is opened; whether the connection takes no more of them. */
  readonly isOver: (streamId: number) => boolean;
}

/** Takes header blocks, in the order in which they came. */
export class Requests {
  readonly #options: RequestsOptions;
  readonly #decoder = new HpackDecoder({
    maxListBytes: MAX_HEADER_LIST_BYTES,
    maxDecodedBytes: MAX_DECODED_HEADER_BYTES,
  });

  /** Of one connection. */
  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  /** Takes a block that is whole. */
  take(block: HeaderBlock): void {
    const { streams, clientSettings, handler } = this.#options;
    const { streamId } = block;
    const open = streams.all.get(streamId);
    if (open) return this.#trailers(open, block);
    if (streams.fateOf(streamId) !== "idle") {
      // The table has to stay in step, whatever becomes of the stream.
      this.#decode(block.bytes, NO_SINK);
      return streams.strayFrame(streamId, "HEADERS");
    }
    streams.idUsed(streamId);
    if (this.#isRefused(streamId)) {
      this.#decode(block.bytes, NO_SINK);
      return streams.refuse(streamId, ErrorCode.REFUSED_STREAM);
    }
    const builder = new HeadBuilder(false);
    const isTooLarge = this.#decode(block.bytes, builder);
    if (isTooLarge) return this.#answerTooLarge(block);
    const head = builder.finish();
    if (!head || block.dependsOnItself) {
      return streams.refuse(streamId, ErrorCode.PROTOCOL_ERROR);
    }
    const stream = streams.open(streamId, clientSettings.initialWindowBytes);
    stream.bodyLeft = builder.contentLength ?? -1;
    const events = handler(stream, head);
    // It may have been refused at once.
    if (stream.isGone) return events.closed(false);
    stream.events = events;
    if (block.endStream) streams.ended(stream);
  }

  #isRefused(streamId: number): boolean {
    const { streams, maxStreams, isOver } = this.#options;
    return isOver(streamId) || streams.all.size >= maxStreams;
  }

  #answerTooLarge(block: HeaderBlock): void {
    const { streams, clientSettings } = this.#options;
    const { initialWindowBytes } = clientSettings;
    const stream = streams.open(block.streamId, initialWindowBytes);
    stream.headers(TOO_LARGE, true);
    streams.pay(RESET_COST, "header lists that are too large");
    if (block.endStream) streams.ended(stream);
  }

  #trailers(stream: Stream, block: HeaderBlock): void {
    const { streams } = this.#options;
    const builder = new HeadBuilder(true);
    const isTooLarge = this.#decode(block.bytes, builder);
    if (stream.remoteEnded) {
      return streams.fail(stream, ErrorCode.STREAM_CLOSED);
    }
    const isWrong = !block.endStream || isTooLarge ||
      builder.malformed !== undefined || block.dependsOnItself;
    if (isWrong) return streams.fail(stream, ErrorCode.PROTOCOL_ERROR);
    streams.ended(stream);
  }

  #decode(bytes: Uint8Array, sink: HeaderSink): boolean {
    try {
      return this.#decoder.decode(bytes, sink);
    } catch (error) {
      if (!(error instanceof HpackError)) throw error;
      throw new ConnectionError(ErrorCode.COMPRESSION_ERROR, error.message);
    }
  }
}
