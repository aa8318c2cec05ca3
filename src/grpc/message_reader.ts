/**
 * Cuts messages out of the bytes of a request, however these are split.
 *
 * @module
 */

import { PREFIX_BYTES } from "./framing.ts";
import { FIRST_BUFFER_BYTES, INITIAL_WINDOW_BYTES } from "./limits.ts";
import { release } from "./release.ts";
import { Status, StatusError } from "./status.ts";

/** How messages are read. */
export interface ReadingOptions {
  /** Larger ones are refused at their prefix. */
  readonly maxMessageBytes: number;
  /** Makes buffers for those that memory was granted for; they may hold anything. */
  readonly newBuffer: (bytes: number) => Uint8Array;
}

/** Reads one message at a time. */
export class MessageReader {
  readonly #options: ReadingOptions;
  #prefixBytes = 0;
  #flag = 0;
  #length = 0;
  #come = 0;
  #buffer: Uint8Array | undefined;
  #mayReserve = false;

  /** Nothing has come yet. */
  constructor(options: ReadingOptions) {
    this.#options = options;
  }

  /** Whether a message has begun and is not complete. */
  get isInside(): boolean {
    return this.#prefixBytes > 0;
  }

  /** How long the message is that has begun; 0 until that is known. */
  get announcedBytes(): number {
    return this.#prefixBytes === PREFIX_BYTES ? this.#length : 0;
  }

  /** How much has come of the message that has begun, with its prefix. */
  get comeBytes(): number {
    return this.#prefixBytes + this.#come;
  }

  /** There is memory for the whole of each message: buffers need not grow. */
  reserve(): void {
    this.#mayReserve = true;
  }

  /**
   * Reads on, at most to the end of a message.
   *
   * @param bytes What came; it is not kept.
   * @param from Where to begin.
   * @param sink Takes a message: a buffer that is its alone.
   * @returns Where it stopped.
   * @throws {StatusError} The prefix is malformed, or announces too much.
   */
  read(
    bytes: Uint8Array,
    from: number,
    sink: (message: Uint8Array) => void,
  ): number {
    let at = from;
    while (this.#prefixBytes < PREFIX_BYTES) {
      if (at === bytes.length) return at;
      this.#readPrefix(bytes[at++]!);
    }
    const end = Math.min(at + this.#length - this.#come, bytes.length);
    if (end > at) this.#append(bytes, at, end);
    if (this.#come === this.#length) sink(this.#finish());
    return end;
  }

  /** Frees what has come of a message that nobody wants any more. */
  drop(): void {
    if (this.#buffer) release(this.#buffer);
    this.#buffer = undefined;
  }

  #readPrefix(byte: number): void {
    if (this.#prefixBytes === 0) this.#flag = byte;
    else this.#length = (this.#length << 8 | byte) >>> 0;
    if (++this.#prefixBytes === PREFIX_BYTES) {
      checkPrefix(this.#flag, this.#length, this.#options.maxMessageBytes);
    }
  }

  #append(bytes: Uint8Array, at: number, end: number): void {
    const needed = this.#come + end - at;
    if (this.#buffer === undefined || needed > this.#buffer.length) {
      this.#grow(needed);
    }
    // Without a view where there is nothing to cut off.
    const isAll = at === 0 && end === bytes.length;
    this.#buffer!.set(isAll ? bytes : bytes.subarray(at, end), this.#come);
    this.#come = needed;
  }

  /** Whoever only announces holds nothing: the buffer grows with what comes. */
  #grow(needed: number): void {
    const before = this.#buffer;
    const room = before === undefined
      ? FIRST_BUFFER_BYTES
      : Math.min(4 * before.length, INITIAL_WINDOW_BYTES);
    this.#buffer = this.#mayReserve
      ? this.#options.newBuffer(this.#length)
      : new Uint8Array(Math.min(this.#length, Math.max(needed, room)));
    if (!before) return;
    this.#buffer.set(before.subarray(0, this.#come));
    release(before);
  }

  #finish(): Uint8Array {
    const message = this.#buffer ?? new Uint8Array(0);
    this.#prefixBytes = this.#length = this.#come = 0;
    this.#buffer = undefined;
    return message;
  }
}

/**
 * Checks what is said before a message.
 *
 * @param flag Whether it is compressed.
 * @param length How long it is.
 * @param maxMessageBytes How long it may be.
 * @throws {StatusError} It may not come.
 */
function checkPrefix(
  flag: number,
  length: number,
  maxMessageBytes: number,
): void {
  if (flag === 1) {
    throw new StatusError(
      Status.INTERNAL,
      "a message is marked as compressed, and no grpc-encoding was agreed on",
    );
  }
  if (flag !== 0) {
    throw new StatusError(
      Status.INTERNAL,
      `a message begins with the flag ${flag}: it has to be 0`,
    );
  }
  if (length > maxMessageBytes) {
    throw new StatusError(
      Status.RESOURCE_EXHAUSTED,
      `a message has ${length} bytes, and may have ${maxMessageBytes}`,
    );
  }
}

/** The request has ended within a message. */
export function brokenOff(): StatusError {
  return new StatusError(
    Status.INTERNAL,
    "the request ended within a message",
  );
}
