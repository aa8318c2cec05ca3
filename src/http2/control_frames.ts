/**
 * Control frames that wait to leave: they go before everything else.
 *
 * @module
 */

import {
  Flag,
  FRAME_HEADER_BYTES,
  FrameType,
  writeFrameHeader,
  writeUint32,
} from "./frames.ts";

/** Debug data is for people; longer ones are cut. */
const MAX_DEBUG_BYTES = 256;
/** What most connections need at once; those that are idle have nothing. */
const FIRST_BYTES = 64;
const NOTHING = new Uint8Array();

const encoder = new TextEncoder();

/** The queue of them, as bytes. */
export class ControlFrames {
  #bytes = NOTHING;
  #start = 0;
  #end = 0;
  #isUrgent = false;

  /** How many bytes wait. */
  get waitingBytes(): number {
    return this.#end - this.#start;
  }

  /** Whether more waits than answers to PING. */
  get isUrgent(): boolean {
    return this.#isUrgent;
  }

  /** Moves what waits into a buffer; gives where it ends there. */
  moveInto(out: Uint8Array, at: number): number {
    const count = Math.min(this.waitingBytes, out.length - at);
    if (count === 0) return at;
    out.set(this.#bytes.subarray(this.#start, this.#start + count), at);
    this.#start += count;
    if (this.#start === this.#end) this.discard();
    return at + count;
  }

  /** SETTINGS: pairs of number and value. */
  settings(pairs: readonly (readonly [number, number])[]): void {
    let at = this.#begin(6 * pairs.length, FrameType.SETTINGS, 0, 0);
    for (const [setting, value] of pairs) {
      this.#bytes[at] = setting >>> 8;
      this.#bytes[at + 1] = setting;
      at = writeUint32(this.#bytes, at + 2, value);
    }
  }

  /** The acknowledgement of SETTINGS. */
  settingsAck(): void {
    this.#begin(0, FrameType.SETTINGS, Flag.ACK, 0);
  }

  /** PING, with eight bytes. */
  ping(payload: Uint8Array, isAck: boolean): void {
    const flags = isAck ? Flag.ACK : 0;
    const at = this.#begin(8, FrameType.PING, flags, 0);
    this.#bytes.set(payload, at);
  }

  /** WINDOW_UPDATE of a stream, or of the connection: 0. */
  windowUpdate(streamId: number, bytes: number): void {
    const at = this.#begin(4, FrameType.WINDOW_UPDATE, 0, streamId);
    writeUint32(this.#bytes, at, bytes);
  }

  /** RST_STREAM. */
  reset(streamId: number, code: number): void {
    const at = this.#begin(4, FrameType.RST_STREAM, 0, streamId);
    writeUint32(this.#bytes, at, code);
  }

  /** GOAWAY. */
  goAway(lastStreamId: number, code: number, reason: string): void {
    const debug = encoder.encode(reason).subarray(0, MAX_DEBUG_BYTES);
    const at = this.#begin(8 + debug.length, FrameType.GOAWAY, 0, 0);
    writeUint32(this.#bytes, at, lastStreamId);
    writeUint32(this.#bytes, at + 4, code);
    this.#bytes.set(debug, at + 8);
  }

  /** Bytes that are no frame: the answer to what is no HTTP/2. */
  raw(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length);
    this.#isUrgent = true;
    this.#bytes.set(bytes, at);
  }

  /** Forgets what waits. */
  discard(): void {
    this.#start = this.#end = 0;
    this.#bytes = NOTHING;
    this.#isUrgent = false;
  }

  #begin(
    length: number,
    type: number,
    flags: number,
    streamId: number,
  ): number {
    const at = this.#reserve(FRAME_HEADER_BYTES + length);
    if (type !== FrameType.PING || flags !== Flag.ACK) this.#isUrgent = true;
    return writeFrameHeader(this.#bytes, at, length, type, flags, streamId);
  }

  #reserve(count: number): number {
    if (this.#end + count > this.#bytes.length) {
      const waiting = this.#bytes.subarray(this.#start, this.#end);
      const needed = waiting.length + count;
      const grown = new Uint8Array(Math.max(FIRST_BYTES, 2 * needed));
      grown.set(waiting);
      this.#bytes = grown;
      this.#end = waiting.length;
      this.#start = 0;
    }
    const at = this.#end;
    this.#end += count;
    return at;
  }
}
