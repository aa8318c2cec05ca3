/**
 * Gives each frame to whoever knows its rules, after those of their order.
 *
 * @module
 */

import type { ConnectionFrames } from "./connection_frames.ts";
import { protocolError } from "./error_codes.ts";
import type { FrameSink } from "./frame_reader.ts";
import { FrameType } from "./frames.ts";
import { type HeaderBlock, HeaderBlocks } from "./header_block.ts";
import { FRAME_COST } from "./limits.ts";
import type { OpenStreams } from "./open_streams.ts";
import type { RequestBodies } from "./request_bodies.ts";
import type { Requests } from "./requests.ts";
import { takePriority, takeReset, takeWindowUpdate } from "./stream_frames.ts";

/** Who they are. */
export interface FrameTakers {
  readonly streams: OpenStreams;
  readonly frames: ConnectionFrames;
  readonly requests: Requests;
  readonly bodies: RequestBodies;
}

/** Of one connection. */
export class FrameDispatch implements FrameSink {
  readonly #takers: FrameTakers;
  readonly #blocks = new HeaderBlocks();

  /** Begins before the first frame. */
  constructor(takers: FrameTakers) {
    this.#takers = takers;
  }

  /** {@inheritDoc FrameSink.frame} */
  frame(
    type: number,
    flags: number,
    streamId: number,
    payload: Uint8Array,
  ): void {
    this.#checkOrder(type);
    const { streams, frames } = this.#takers;
    switch (type) {
      case FrameType.HEADERS:
        if (streamId % 2 === 0) protocolError(`HEADERS on stream ${streamId}`);
        return this.#block(this.#blocks.headers(streamId, flags, payload));
      case FrameType.CONTINUATION:
        return this.#block(this.#blocks.continuation(streamId, flags, payload));
      case FrameType.PRIORITY:
        return takePriority(streams, streamId, payload);
      case FrameType.RST_STREAM:
        return takeReset(streams, streamId, payload);
      case FrameType.SETTINGS:
        return frames.settings(flags, streamId, payload);
      case FrameType.PING:
        return frames.ping(flags, streamId, payload);
      case FrameType.GOAWAY:
        return frames.goAway(streamId, payload);
      case FrameType.WINDOW_UPDATE:
        return takeWindowUpdate(streams, streamId, payload);
      case FrameType.PUSH_PROMISE:
        return protocolError("PUSH_PROMISE of a client");
      default:
        streams.pay(FRAME_COST, `frames of type ${type}`);
    }
  }

  /** {@inheritDoc FrameSink.dataBegins} */
  dataBegins(streamId: number, length: number): void {
    this.#checkOrder(FrameType.DATA);
    this.#takers.bodies.begins(streamId, length);
  }

  /** {@inheritDoc FrameSink.dataPiece} */
  dataPiece(bytes: Uint8Array): void {
    this.#takers.bodies.piece(bytes);
  }

  /** {@inheritDoc FrameSink.dataEnds} */
  dataEnds(flags: number, paddingBytes: number): void {
    this.#takers.bodies.ends(flags, paddingBytes);
  }

  #checkOrder(type: number): void {
    if (!this.#takers.frames.hasSettings && type !== FrameType.SETTINGS) {
      protocolError("the first frame has to be SETTINGS");
    }
    if (this.#blocks.isOpen && type !== FrameType.CONTINUATION) {
      protocolError("a header block was broken off");
    }
  }

  #block(block: HeaderBlock | undefined): void {
    if (block) this.#takers.requests.take(block);
  }
}
