/**
 * Puts a header block together from HEADERS and its CONTINUATIONs.
 *
 * @module
 */

import { ConnectionError, ErrorCode } from "./error_codes.ts";
import { Flag, readUint31 } from "./frames.ts";
import { MAX_CONTINUATIONS, MAX_DECODED_HEADER_BYTES } from "./limits.ts";

const PRIORITY_BYTES = 5;

/** A block that is whole. */
export interface HeaderBlock {
  readonly streamId: number;
  readonly endStream: boolean;
  /** The client says that the stream depends on itself. */
  readonly dependsOnItself: boolean;
  /** Valid only until it has been decoded. */
  readonly bytes: Uint8Array;
}

/** Follows the blocks of one connection; there is one at a time. */
export class HeaderBlocks {
  #begun: HeaderBlock | undefined;
  #fragments: Uint8Array[] = [];
  #bytes = 0;

  /** Whether a block has begun: then nothing but its CONTINUATION may come. */
  get isOpen(): boolean {
    return this.#begun !== undefined;
  }

  /** Takes HEADERS; gives the block if that is all of it. */
  headers(
    streamId: number,
    flags: number,
    payload: Uint8Array,
  ): HeaderBlock | undefined {
    let start = 0;
    let end = payload.length;
    if (flags & Flag.PADDED) {
      if (end === 0) tooShort("HEADERS");
      end -= payload[start++]!;
    }
    let dependsOnItself = false;
    if (flags & Flag.PRIORITY) {
      if (end - start < PRIORITY_BYTES) tooShort("HEADERS");
      dependsOnItself = readUint31(payload, start) === streamId;
      start += PRIORITY_BYTES;
    }
    if (start > end) {
      throw new ConnectionError(
        ErrorCode.PROTOCOL_ERROR,
        "HEADERS with more padding than payload",
      );
    }
    const block: HeaderBlock = {
      streamId,
      endStream: (flags & Flag.END_STREAM) !== 0,
      dependsOnItself,
      // Without a view where there is nothing to cut off.
      bytes: start === 0 && end === payload.length
        ? payload
        : payload.subarray(start, end),
    };
    if (flags & Flag.END_HEADERS) return block;
    this.#begun = block;
    // The read buffer is used again before the rest comes.
    this.#add(block.bytes.slice());
    return undefined;
  }

  /** Takes a CONTINUATION; gives the block if that is its end. */
  continuation(
    streamId: number,
    flags: number,
    payload: Uint8Array,
  ): HeaderBlock | undefined {
    const begun = this.#begun;
    if (!begun || begun.streamId !== streamId) {
      throw new ConnectionError(
        ErrorCode.PROTOCOL_ERROR,
        "CONTINUATION of nothing",
      );
    }
    this.#add(payload.slice());
    if (!(flags & Flag.END_HEADERS)) return undefined;
    const bytes = new Uint8Array(this.#bytes);
    let at = 0;
    for (const fragment of this.#fragments) {
      bytes.set(fragment, at);
      at += fragment.length;
    }
    this.#begun = undefined;
    this.#fragments = [];
    this.#bytes = 0;
    return { ...begun, bytes };
  }

  #add(fragment: Uint8Array): void {
    this.#fragments.push(fragment);
    this.#bytes += fragment.length;
    const isTooLarge = this.#bytes > MAX_DECODED_HEADER_BYTES ||
      this.#fragments.length > 1 + MAX_CONTINUATIONS;
    if (isTooLarge) {
      throw new ConnectionError(
        ErrorCode.ENHANCE_YOUR_CALM,
        "a header block without end",
      );
    }
  }
}

function tooShort(what: string): never {
  throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, `${what} too short`);
}
