/**
 * One write that enters native memory slice by slice.
 *
 * @module
 */
import type { WriteRequest } from "./internals.ts";

/** What a {@linkcode SlicedWrite} needs of its stream. */
export interface SliceSink {
  /** The size of a slice. */
  readonly sliceBytes: number;
  /** Whether nothing can be written any more. */
  readonly gone: boolean;
  /** Hands bytes to native code, recorded as a write that completes later. */
  recordedWrite(request: WriteRequest, data: Uint8Array): number;
  /** Hands bytes to native code without a record. */
  nativeWrite(request: WriteRequest, data: Uint8Array): number;
  /** Native code has taken something. */
  moved(): void;
  /** Runs a step as soon as no native code is on the stack. */
  whenReady(step: () => void): void;
  /** Everything of the write is in native memory, or given up. */
  finished(write: SlicedWrite): void;
}

/** One write request on its way into native memory. */
export class SlicedWrite {
  readonly #writer: SliceSink;
  readonly #request: WriteRequest;
  readonly #complete: (status: number) => void;
  #parts: Uint8Array[];
  #offset = 0;
  /** Slices that native code has not acknowledged. */
  #outstanding = 0;

  /**
   * @param writer Its stream.
   * @param request What native code acknowledges.
   * @param parts The bytes, which must not change until then.
   */
  constructor(
    writer: SliceSink,
    request: WriteRequest,
    parts: Uint8Array[],
  ) {
    this.#writer = writer;
    this.#request = request;
    this.#complete = request.oncomplete;
    this.#parts = parts;
    request.oncomplete = (status) => this.#acknowledged(status);
  }

  /**
   * Hands over parts until a slice is full.
   *
   * @param isFirst Whether it is the first slice of the write.
   * @returns What native code returned; 0 is success.
   */
  hand(isFirst: boolean): number {
    const writer = this.#writer;
    let room = writer.sliceBytes;
    let recorded = !isFirst;
    while (room > 0) {
      const part = this.#parts[0];
      if (part === undefined) break;
      const slice = part.subarray(this.#offset, this.#offset + room);
      this.#offset += slice.byteLength;
      if (this.#offset >= part.byteLength) {
        this.#parts.shift();
        this.#offset = 0;
      }
      room -= slice.byteLength;
      this.#outstanding++;
      const result = recorded
        ? writer.nativeWrite(this.#request, slice)
        : writer.recordedWrite(this.#request, slice);
      if (result !== 0) return result;
      recorded = true;
    }
    return 0;
  }

  /** Whether something has still to be handed over. */
  get unfinished(): boolean {
    return this.#parts.length > 0;
  }

  /** Forgets what was not sent; the stream is gone. */
  abandon(): void {
    this.#parts = [];
  }

  #acknowledged(status: number): void {
    this.#outstanding--;
    this.#writer.moved();
    if (this.#outstanding > 0 && status === 0) return;
    // We are inside native code, which must not be entered again from here.
    this.#writer.whenReady(() => this.#advance(status));
  }

  #advance(status: number): void {
    const writer = this.#writer;
    if (writer.gone) {
      this.abandon();
    } else if (status === 0 && this.unfinished) {
      this.hand(false);
      if (!this.unfinished) writer.finished(this);
      return;
    }
    writer.finished(this);
    this.#request.oncomplete = this.#complete;
    this.#request.oncomplete(status);
  }
}
