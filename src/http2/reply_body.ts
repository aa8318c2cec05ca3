/**
 * DATA that waits to be sent on one stream: parts by reference, and who is told
 * when their last byte was given to write.
 *
 * @module
 */

import type { FrameWriter } from "./frame_writer.ts";

/** What is queued of one reply. */
export class ReplyBody {
  /** How many bytes wait. */
  bytes = 0;
  #parts: Uint8Array[] = [];
  /** Where in the first part to go on. */
  #offset = 0;
  #sentBytes = 0;
  #marks: { readonly at: number; readonly taken: () => void }[] | undefined;

  /** Whether somebody is still to be told. */
  get hasMarks(): boolean {
    return this.#marks !== undefined;
  }

  /** Queues parts. */
  push(parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      if (part.length === 0) continue;
      this.#parts.push(part);
      this.bytes += part.length;
    }
  }

  /** Calls `taken` once what is queued now was given to write. */
  mark(taken: () => void): void {
    (this.#marks ??= []).push({ at: this.#sentBytes + this.bytes, taken });
  }

  /** Copies so many bytes into the frame that has begun. */
  copyInto(writer: FrameWriter, size: number): void {
    for (let left = size; left > 0;) {
      const part = this.#parts[0]!;
      const end = Math.min(part.length, this.#offset + left);
      writer.copy(part, this.#offset, end);
      left -= end - this.#offset;
      this.#offset = end;
      if (end === part.length) {
        this.#parts.shift();
        this.#offset = 0;
      }
    }
    this.bytes -= size;
    this.#sentBytes += size;
  }

  /** Has those told whose bytes are all in the buffer, unless it is too late. */
  tellTaken(writer: FrameWriter, isTooLate: () => boolean): void {
    const marks = this.#marks;
    if (marks === undefined) return;
    while (marks.length > 0 && marks[0]!.at <= this.#sentBytes) {
      const { taken } = marks.shift()!;
      writer.afterwards(() => {
        if (!isTooLate()) taken();
      });
    }
    if (marks.length === 0) this.#marks = undefined;
  }

  /** Forgets everything. */
  withdraw(): void {
    this.#parts = [];
    this.bytes = 0;
    this.#marks = undefined;
  }
}
