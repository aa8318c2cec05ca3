/**
 * Messages as gRPC puts them into a stream: a flag, the length, and the bytes.
 *
 * @module
 */

import { Buffer } from "node:buffer";

const PREFIX_BYTES = 5;

/** A message as it is sent. */
export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, PREFIX_BYTES);
  return frame;
}

/** Takes a stream apart. */
export class MessageFrames {
  /** What has come of a message that is not whole yet. */
  #pieces: Buffer[] = [];
  #bytes = 0;

  /**
   * The messages that are whole with the next bytes.
   *
   * @throws {Error} One is compressed, which nobody has asked for.
   */
  add(bytes: Buffer): Buffer[] {
    const messages: Buffer[] = [];
    let rest: Buffer | undefined = bytes;
    if (this.#bytes > 0) {
      this.#pieces.push(bytes);
      this.#bytes += bytes.length;
      rest = this.#isWhole() ? Buffer.concat(this.#pieces) : undefined;
    }
    if (!rest) return messages;
    let at = 0;
    for (;;) {
      const end = endOf(rest, at);
      if (end === undefined || end > rest.length) break;
      messages.push(rest.subarray(at + PREFIX_BYTES, end));
      at = end;
    }
    this.#pieces = at < rest.length ? [rest.subarray(at)] : [];
    this.#bytes = rest.length - at;
    return messages;
  }

  #isWhole(): boolean {
    if (this.#bytes < PREFIX_BYTES) return false;
    if (this.#pieces[0]!.length < PREFIX_BYTES) {
      this.#pieces = [Buffer.concat(this.#pieces)];
    }
    return this.#bytes >= endOf(this.#pieces[0]!, 0)!;
  }
}

/** Where the message ends that begins there; `undefined`: not known yet. */
function endOf(bytes: Buffer, at: number): number | undefined {
  if (bytes.length - at < PREFIX_BYTES) return undefined;
  if (bytes[at] !== 0) throw new Error("the message is compressed");
  return at + PREFIX_BYTES + bytes.readUInt32BE(at + 1);
}
