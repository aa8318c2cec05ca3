/**
 * Holds back the resets of streams that have been ended.
 *
 * @module
 */

import { Flag, FRAME_HEADER_BYTES, FrameType } from "../../src/http2/frames.ts";
import { PREFACE } from "../../src/http2/testing/frame_bytes.ts";
import { join } from "../../src/http2/testing/octets.ts";

/** The next bytes of a client, and whether they have to wait. */
export interface Part {
  readonly bytes: Uint8Array;
  /** It begins with the RST_STREAM of a stream that the client has ended. */
  readonly isLate: boolean;
}

/** Cuts what an HTTP/2 client sends before each RST_STREAM that follows an end. */
export class LateResets {
  /** What has come of a frame whose header is not whole. */
  #rest: Uint8Array = new Uint8Array();
  /** Of the preface, or of a frame's payload, so much is to come. */
  #skipped = PREFACE.length;
  readonly #ended = new Set<number>();

  /** The same bytes in order; a header that is cut comes with the next ones. */
  *split(bytes: Uint8Array): Iterable<Part> {
    const all = join(this.#rest, bytes);
    let from = 0;
    let isLate = false;
    let at = 0;
    for (;;) {
      const skipped = Math.min(this.#skipped, all.length - at);
      this.#skipped -= skipped;
      at += skipped;
      if (all.length - at < FRAME_HEADER_BYTES) break;
      const view = new DataView(all.buffer, all.byteOffset + at);
      const [type, flags] = [view.getUint8(3), view.getUint8(4)];
      const stream = view.getUint32(5);
      const isMessage = type === FrameType.DATA || type === FrameType.HEADERS;
      if (isMessage && (flags & Flag.END_STREAM) !== 0) this.#ended.add(stream);
      if (type === FrameType.RST_STREAM && this.#ended.has(stream)) {
        if (at > from) yield { bytes: all.subarray(from, at), isLate };
        from = at;
        isLate = true;
      }
      this.#skipped = FRAME_HEADER_BYTES + (view.getUint32(0) >>> 8);
    }
    this.#rest = all.slice(at);
    if (at > from) yield { bytes: all.subarray(from, at), isLate };
  }
}
