/**
 * DATA of the client. The connection's window is given back as it is taken, so
 * that no upload stops another; a stream's only by whoever takes its body.
 *
 * @module
 */

import { ErrorCode } from "./error_codes.ts";
import { Flag } from "./frames.ts";
import {
  CONNECTION_WINDOW_STEP_BYTES,
  GIVEN_ALONG_BYTES,
  TINY_FRAME_BYTES,
  TINY_FRAME_COST,
} from "./limits.ts";
import type { OpenStreams } from "./open_streams.ts";
import type { Stream } from "./stream.ts";

/** Takes DATA as it comes, a frame after the other. */
export class RequestBodies {
  readonly #streams: OpenStreams;
  /** What the client has sent, and was not given back yet. */
  #owedBytes = 0;
  /** Of the frame that is being read. */
  #length = 0;
  /** The same; none if its stream is gone. */
  #stream: Stream | undefined;

  /** Of one connection. */
  constructor(streams: OpenStreams) {
    this.#streams = streams;
  }

  /** A frame begins; `length` counts its padding. */
  begins(streamId: number, length: number): void {
    const streams = this.#streams;
    this.#stream = undefined;
    this.#length = length;
    this.#owedBytes += length;
    const stream = streams.all.get(streamId);
    if (!stream) return streams.strayFrame(streamId, "DATA");
    if (stream.remoteEnded) {
      return streams.fail(stream, ErrorCode.STREAM_CLOSED);
    }
    stream.receiveWindow -= length;
    stream.arrivedMs = streams.turnMs;
    if (stream.receiveWindow < 0) {
      return streams.fail(stream, ErrorCode.FLOW_CONTROL_ERROR);
    }
    this.#stream = stream;
  }

  /** A piece of its content. */
  piece(bytes: Uint8Array): void {
    const stream = this.#stream;
    if (!stream || !this.#isOpen(stream)) return;
    if (stream.bodyLeft >= 0) {
      stream.bodyLeft -= bytes.length;
      if (stream.bodyLeft < 0) {
        return this.#streams.fail(stream, ErrorCode.PROTOCOL_ERROR);
      }
    }
    // Of a call that was answered already the rest is checked, and left.
    if (!stream.localEnded) stream.events.data(bytes);
  }

  /** It is whole. */
  ends(flags: number, paddingBytes: number): void {
    this.#returnWindow(CONNECTION_WINDOW_STEP_BYTES);
    const stream = this.#stream;
    this.#stream = undefined;
    // The last frame of a request may be as small as it likes; padding is nothing.
    const bytes = this.#length - paddingBytes;
    const isTiny = bytes < TINY_FRAME_BYTES;
    if (isTiny && !(flags & Flag.END_STREAM)) {
      this.#streams.pay(TINY_FRAME_COST, "tiny DATA frames");
    }
    if (!stream || !this.#isOpen(stream)) return;
    if (!isTiny) this.#streams.bodyMoved(bytes);
    if (flags & Flag.END_STREAM) this.#streams.ended(stream);
    else if (paddingBytes > 0) this.#returnPadding(stream, paddingBytes);
  }

  /** Something leaves anyway. */
  goAlong(): void {
    this.#returnWindow(GIVEN_ALONG_BYTES);
  }

  /** It may have been reset meanwhile. */
  #isOpen(stream: Stream): boolean {
    return this.#streams.all.has(stream.id);
  }

  #returnWindow(leastBytes: number): void {
    if (this.#owedBytes < leastBytes) return;
    this.#streams.output.control.windowUpdate(0, this.#owedBytes);
    this.#owedBytes = 0;
  }

  #returnPadding(stream: Stream, bytes: number): void {
    if (stream.localEnded) return;
    stream.receiveWindow += bytes;
    this.#streams.output.control.windowUpdate(stream.id, bytes);
  }
}
