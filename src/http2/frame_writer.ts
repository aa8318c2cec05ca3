/**
 * Fills one write buffer with frames.
 *
 * @module
 */

import {
  Flag,
  FRAME_HEADER_BYTES,
  FrameType,
  writeFrameHeader,
} from "./frames.ts";

const NOTHING = new Uint8Array();

/** One of these serves a connection; its buffer changes with every write. */
export class FrameWriter {
  /** What the client takes of DATA, all streams together. */
  window: number;
  /** Goes before the next header block: a change of the header table's size. */
  prefix: Uint8Array | undefined;
  /** Where the next frame begins. */
  at = 0;
  #out: Uint8Array = NOTHING;
  #afterwards: (() => void)[] = [];

  /** Windows begin with the same size everywhere. */
  constructor(window: number) {
    this.window = window;
  }

  /** Begins with a buffer that has been filled up to here. */
  begin(out: Uint8Array, at: number): void {
    this.#out = out;
    this.at = at;
  }

  /** Lets go of the buffer; gives how much of it is filled. */
  finish(): number {
    this.#out = NOTHING;
    return this.at;
  }

  /** Bytes that are left in the buffer. */
  get room(): number {
    return this.#out.length - this.at;
  }

  /** HEADERS; `false`: there is no room. */
  headers(streamId: number, block: Uint8Array, endStream: boolean): boolean {
    const prefixBytes = this.prefix?.length ?? 0;
    const length = prefixBytes + block.length;
    if (this.room < FRAME_HEADER_BYTES + length) return false;
    const flags = Flag.END_HEADERS | (endStream ? Flag.END_STREAM : 0);
    this.#header(length, FrameType.HEADERS, flags, streamId);
    if (this.prefix) {
      this.copy(this.prefix, 0, prefixBytes);
      this.prefix = undefined;
    }
    this.copy(block, 0, block.length);
    return true;
  }

  /** An empty DATA frame with END_STREAM; `false`: there is no room. */
  emptyData(streamId: number): boolean {
    if (this.room < FRAME_HEADER_BYTES) return false;
    this.#header(0, FrameType.DATA, Flag.END_STREAM, streamId);
    return true;
  }

  /** The header of a DATA frame, whose payload is copied next. */
  beginData(streamId: number, length: number): void {
    this.#header(length, FrameType.DATA, 0, streamId);
    this.window -= length;
  }

  /** Copies a part of a payload. */
  copy(from: Uint8Array, start: number, end: number): void {
    const whole = start === 0 && end === from.length;
    this.#out.set(whole ? from : from.subarray(start, end), this.at);
    this.at += end - start;
  }

  /** Calls somebody once the buffer was given to write. */
  afterwards(call: () => void): void {
    this.#afterwards.push(call);
  }

  /** The buffer was given to write. */
  written(): void {
    while (this.#afterwards.length > 0) {
      const calls = this.#afterwards;
      this.#afterwards = [];
      for (const call of calls) call();
    }
  }

  #header(
    length: number,
    type: number,
    flags: number,
    streamId: number,
  ): void {
    this.at = writeFrameHeader(
      this.#out,
      this.at,
      length,
      type,
      flags,
      streamId,
    );
  }
}
