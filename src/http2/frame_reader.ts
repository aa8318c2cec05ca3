/**
 * Cuts a byte stream into frames, wherever its reads end. A DATA frame is passed
 * on as it comes; every other frame when it is whole.
 *
 * @module
 */

import { ConnectionError, ErrorCode } from "./error_codes.ts";
import { Flag, FRAME_HEADER_BYTES, FrameType, readUint31 } from "./frames.ts";
import { MAX_FRAME_BYTES } from "./limits.ts";

/** Takes the frames. What it is given is valid only until it returns. */
export interface FrameSink {
  /** A whole frame that is not DATA. */
  frame(
    type: number,
    flags: number,
    streamId: number,
    payload: Uint8Array,
  ): void;
  /** A DATA frame begins; `length` counts its padding. */
  dataBegins(streamId: number, length: number): void;
  /** A piece of its content. */
  dataPiece(bytes: Uint8Array): void;
  /** It is whole. */
  dataEnds(flags: number, paddingBytes: number): void;
}

/** Follows one connection's frames. */
export class FrameReader {
  readonly #sink: FrameSink;
  /** Of a header or a payload that came in pieces; made when needed. */
  #held: Uint8Array | undefined;
  #heldBytes = 0;
  /** Of the frame whose payload is awaited. */
  #inPayload = false;
  #length = 0;
  #type = 0;
  #flags = 0;
  #streamId = 0;
  /** Of a DATA frame: what is still to come, before its padding. */
  #contentLeft = 0;
  #paddingLeft = 0;
  #padding = 0;
  #padLengthDue = false;

  /** All frames go to one sink. */
  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /**
   * Takes bytes up to the end of the next frame, or of the bytes.
   *
   * @returns Where to go on.
   */
  take(bytes: Uint8Array, at: number): number {
    if (!this.#inPayload) {
      at = this.#takeHeader(bytes, at);
      if (!this.#inPayload) return at;
    }
    return this.#type === FrameType.DATA
      ? this.#takeData(bytes, at)
      : this.#takePayload(bytes, at);
  }

  #takeHeader(bytes: Uint8Array, at: number): number {
    let header = bytes;
    let start = at;
    if (this.#heldBytes > 0 || bytes.length - at < FRAME_HEADER_BYTES) {
      at = this.#hold(bytes, at, FRAME_HEADER_BYTES);
      if (this.#heldBytes < FRAME_HEADER_BYTES) return at;
      header = this.#held!;
      start = 0;
      this.#heldBytes = 0;
    } else {
      at += FRAME_HEADER_BYTES;
    }
    const length = (header[start]! << 16) | (header[start + 1]! << 8) |
      header[start + 2]!;
    this.#type = header[start + 3]!;
    this.#flags = header[start + 4]!;
    this.#streamId = readUint31(header, start + 5);
    if (length > MAX_FRAME_BYTES) {
      throw new ConnectionError(
        ErrorCode.FRAME_SIZE_ERROR,
        `a frame of ${length} bytes`,
      );
    }
    this.#length = length;
    this.#inPayload = true;
    if (this.#type === FrameType.DATA) {
      this.#padLengthDue = (this.#flags & Flag.PADDED) !== 0;
      if (this.#padLengthDue && length === 0) {
        throw new ConnectionError(
          ErrorCode.FRAME_SIZE_ERROR,
          "DATA lacks its pad length",
        );
      }
      this.#contentLeft = length;
      this.#paddingLeft = this.#padding = 0;
      this.#sink.dataBegins(this.#streamId, length);
    }
    return at;
  }

  #takeData(bytes: Uint8Array, at: number): number {
    if (this.#padLengthDue) {
      if (at === bytes.length) return at;
      const padding = bytes[at++]!;
      this.#padLengthDue = false;
      this.#contentLeft -= 1 + padding;
      if (this.#contentLeft < 0) {
        throw new ConnectionError(
          ErrorCode.PROTOCOL_ERROR,
          "DATA with more padding than payload",
        );
      }
      this.#paddingLeft = padding;
      this.#padding = 1 + padding;
    }
    const content = Math.min(this.#contentLeft, bytes.length - at);
    if (content > 0) {
      this.#contentLeft -= content;
      this.#sink.dataPiece(bytes.subarray(at, at + content));
      at += content;
    }
    if (this.#contentLeft > 0) return at;
    const padding = Math.min(this.#paddingLeft, bytes.length - at);
    this.#paddingLeft -= padding;
    at += padding;
    if (this.#paddingLeft > 0) return at;
    this.#inPayload = false;
    this.#sink.dataEnds(this.#flags, this.#padding);
    return at;
  }

  #takePayload(bytes: Uint8Array, at: number): number {
    const length = this.#length;
    if (this.#heldBytes === 0 && bytes.length - at >= length) {
      const payload = bytes.subarray(at, at + length);
      this.#pass(payload);
      return at + length;
    }
    at = this.#hold(bytes, at, length);
    if (this.#heldBytes < length) return at;
    const payload = this.#held!.subarray(0, length);
    this.#held = undefined;
    this.#heldBytes = 0;
    this.#pass(payload);
    return at;
  }

  #pass(payload: Uint8Array): void {
    this.#inPayload = false;
    this.#sink.frame(this.#type, this.#flags, this.#streamId, payload);
  }

  /** Keeps bytes until there are so many. */
  #hold(bytes: Uint8Array, at: number, wanted: number): number {
    const count = Math.min(wanted - this.#heldBytes, bytes.length - at);
    const needed = this.#heldBytes + count;
    if (!this.#held || this.#held.length < needed) {
      // As it comes: what is only announced costs nothing.
      const grown = new Uint8Array(Math.max(2 * needed, FRAME_HEADER_BYTES));
      if (this.#held) grown.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = grown;
    }
    this.#held.set(bytes.subarray(at, at + count), this.#heldBytes);
    this.#heldBytes = needed;
    return at + count;
  }
}
