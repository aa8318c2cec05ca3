/**
 * What a connection has to send: control frames first, then the streams in
 * turn, a DATA frame each.
 *
 * @module
 */

import { ControlFrames } from "./control_frames.ts";
import { FrameWriter } from "./frame_writer.ts";
import { INITIAL_WINDOW_BYTES, MAX_WINDOW_BYTES } from "./limits.ts";
import type { Stream } from "./stream.ts";

/** The order of those that send. */
export class Output {
  /** Frames that go before everything else. */
  readonly control = new ControlFrames();
  readonly #writer = new FrameWriter(INITIAL_WINDOW_BYTES);
  readonly #ready: Stream[] = [];
  /** The connection's window is used up: they wait for it. */
  readonly #blocked: Stream[] = [];
  readonly #onEnd: (stream: Stream) => void;

  /** Told of streams whose END_STREAM is in the buffer. */
  constructor(onEnd: (stream: Stream) => void) {
    this.#onEnd = onEnd;
  }

  /** Whether something can be sent now. */
  get hasSome(): boolean {
    return this.#ready.length > 0 || this.control.waitingBytes > 0;
  }

  /** Whether that is more than answers to PING. */
  get isUrgent(): boolean {
    return this.#ready.length > 0 || this.control.isUrgent;
  }

  /** About how many bytes can be sent now; no more than asked for. */
  waitingBytes(most: number): number {
    let bytes = this.control.waitingBytes;
    for (const stream of this.#ready) {
      bytes += stream.waitingBytes;
      if (bytes >= most) return most;
    }
    return bytes;
  }

  /** A change of the header table's size goes before the next header block. */
  set prefix(bytes: Uint8Array) {
    this.#writer.prefix = bytes;
  }

  /** Puts a stream last into the order. */
  enqueue(stream: Stream): void {
    if (stream.isReady) return;
    stream.isReady = true;
    this.#ready.push(stream);
  }

  /** A stream sends no more. */
  remove(stream: Stream): void {
    if (!stream.isReady) return;
    stream.isReady = false;
    for (const list of [this.#ready, this.#blocked]) {
      const at = list.indexOf(stream);
      if (at >= 0) list.splice(at, 1);
    }
  }

  /** The client takes more of DATA; `false`: of more than there can be. */
  widen(bytes: number): boolean {
    this.#writer.window += bytes;
    if (this.#writer.window > MAX_WINDOW_BYTES) return false;
    if (this.#writer.window > 0 && this.#blocked.length > 0) {
      this.#ready.push(...this.#blocked.splice(0));
    }
    return true;
  }

  /** Fills a buffer; gives how much of it. */
  fill(out: Uint8Array): number {
    const writer = this.#writer;
    writer.begin(out, this.control.moveInto(out, 0));
    while (this.control.waitingBytes === 0 && this.#ready.length > 0) {
      const stream = this.#ready[0]!;
      const outcome = stream.emit(writer);
      if (outcome === "no room") break;
      this.#ready.shift();
      switch (outcome) {
        case "more":
          this.#ready.push(stream);
          break;
        case "connection blocked":
          this.#blocked.push(stream);
          break;
        case "ended":
          stream.isReady = false;
          this.#onEnd(stream);
          break;
        default:
          stream.isReady = false;
      }
    }
    return writer.finish();
  }

  /** Calls somebody once the buffer was given to write. */
  afterwards(call: () => void): void {
    this.#writer.afterwards(call);
  }

  /** The buffer was given to write. */
  written(): void {
    this.#writer.written();
  }

  /** Drops the streams: only control frames leave. */
  withdrawAll(): void {
    for (const stream of this.#ready) stream.isReady = false;
    for (const stream of this.#blocked) stream.isReady = false;
    this.#ready.length = this.#blocked.length = 0;
  }
}
