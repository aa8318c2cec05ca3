/**
 * A large value as frames that are built once, whatever the assignment.
 *
 * @module
 */

import { Flag, FRAME_HEADER_BYTES } from "../../src/http2/frames.ts";
import { MAX_FRAME_BYTES } from "../../src/http2/limits.ts";
import { data, headers } from "../../src/http2/testing/frame_bytes.ts";
import { join } from "../../src/http2/testing/octets.ts";
import { callFields, message, SET, setRequest } from "../rude/messages.ts";
import type { RawClient } from "../support/raw_client.ts";

/**
 * Frames are sent whole, and the server gives more than the first window once all
 * but 1 KiB of that has come: so much of a value is cut into small ones.
 */
const FIRST_BYTES = 64 * 1024;
const FIRST_PAYLOAD_BYTES = 1_024;
/** In one write: few calls, and no long wait for the other side. */
const BYTES_A_WRITE = 256 * 1024;

/** Set requests for values of one size, on one stream. */
export class UploadFrames {
  readonly #stream: number;
  readonly #valueBytes: number;
  readonly #body: Uint8Array;
  /** What each frame carries. */
  readonly #payloads: readonly number[];

  /** Builds the value's frames. */
  constructor(stream: number, valueBytes: number) {
    this.#stream = stream;
    this.#valueBytes = valueBytes;
    const value = new Uint8Array(valueBytes).fill(stream);
    const payloads: number[] = [];
    for (let at = 0; at < valueBytes;) {
      const most = at < FIRST_BYTES ? FIRST_PAYLOAD_BYTES : MAX_FRAME_BYTES;
      const size = Math.min(most, valueBytes - at);
      payloads.push(size);
      at += size;
    }
    this.#payloads = payloads;
    let at = 0;
    this.#body = join(...payloads.map((size) => {
      const piece = value.subarray(at, at += size);
      return data(stream, piece, at === valueBytes ? Flag.END_STREAM : 0);
    }));
  }

  /** HEADERS, and all of the message up to the value, in a frame of its own. */
  #begin(id: bigint): Uint8Array {
    // The same fields around an empty value, with the value's true length.
    const empty = setRequest(id, new Uint8Array());
    const length: number[] = [];
    let rest = this.#valueBytes;
    for (; rest > 127; rest >>>= 7) length.push((rest & 127) | 128);
    length.push(rest);
    const content = join(
      empty.subarray(0, empty.length - 1),
      Uint8Array.from(length),
    );
    const announcedBytes = content.length + this.#valueBytes;
    return join(
      headers(this.#stream, callFields(SET)),
      data(this.#stream, message(content, { announcedBytes })),
    );
  }

  /**
   * Sends so much of the value, whole frames of it, as the windows allow; false: it
   * was ended.
   */
  async send(
    connection: RawClient,
    id: bigint,
    sentBytes: number = this.#valueBytes,
  ): Promise<boolean> {
    const stream = this.#stream;
    const begin = this.#begin(id);
    if (!await connection.sendData(stream, begin, begin.length)) return false;
    let [next, at] = [0, 0];
    for (let carried = 0; carried < sentBytes;) {
      if (connection.received.hasEnded(stream)) return false;
      const room = Math.min(
        connection.received.windowOf(stream),
        BYTES_A_WRITE,
        sentBytes - carried,
      );
      const from = at;
      let bytes = 0;
      for (; bytes + (this.#payloads[next] ?? Infinity) <= room; next++) {
        bytes += this.#payloads[next]!;
        at += FRAME_HEADER_BYTES + this.#payloads[next]!;
      }
      if (bytes === 0) {
        if (!await connection.read()) return false;
        continue;
      }
      const piece = this.#body.subarray(from, at);
      if (!await connection.sendData(stream, piece, bytes)) return false;
      carried += bytes;
    }
    return true;
  }
}
