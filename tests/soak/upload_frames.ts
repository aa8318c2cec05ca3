/**
 * A large value as frames that are built once, whatever the assignment.
 *
 * @module
 */

import { data, headers, MAX_PAYLOAD_BYTES } from "../rude/frames.ts";
import { callFields, message, SET, setRequest } from "../rude/messages.ts";
import { join } from "../rude/octets.ts";
import type { LeanConnection } from "./lean_connection.ts";

/** A DATA frame's header comes on top of its payload. */
const FRAME_BYTES = MAX_PAYLOAD_BYTES + 9;
/** In one write: few calls, and no long wait for the other side. */
const FRAMES_A_WRITE = 16;

/** Set requests for values of one size, on one stream. */
export class UploadFrames {
  readonly #stream: number;
  readonly #valueBytes: number;
  readonly #body: Uint8Array;

  /** Builds the value's frames. */
  constructor(stream: number, valueBytes: number) {
    this.#stream = stream;
    this.#valueBytes = valueBytes;
    const value = new Uint8Array(valueBytes).fill(stream);
    this.#body = data(stream, value, { end: true });
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

  /** Sends so much of the value, as the windows allow; false: it was ended. */
  async send(
    connection: LeanConnection,
    id: bigint,
    sentBytes: number = this.#valueBytes,
  ): Promise<boolean> {
    const begin = this.#begin(id);
    if (!await connection.writeData(begin, begin.length)) return false;
    const frames = Math.ceil(sentBytes / MAX_PAYLOAD_BYTES);
    for (let next = 0; next < frames;) {
      const room = Math.floor(connection.sendWindow / MAX_PAYLOAD_BYTES);
      if (connection.ended !== undefined) return false;
      if (room === 0) {
        if (!await connection.read()) return false;
        continue;
      }
      const count = Math.min(room, frames - next, FRAMES_A_WRITE);
      const piece = this.#body.subarray(
        next * FRAME_BYTES,
        (next + count) * FRAME_BYTES,
      );
      const carriedBytes = count * MAX_PAYLOAD_BYTES;
      if (!await connection.writeData(piece, carriedBytes)) return false;
      next += count;
    }
    return true;
  }
}
