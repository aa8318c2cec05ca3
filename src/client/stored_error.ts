/**
 * Errors as values of the cache, for programs that ask for it.
 *
 * @module
 */

import { Buffer } from "node:buffer";

/** Begins a stored error; random, so that no value begins so. */
const MAGIC = new Uint8Array([
  ...[0x00, 0x6c, 0x61, 0x72, 0x64, 0x65, 0x72, 0x21],
  ...[0x9d, 0x3a, 0xf0, 0x17, 0x5b, 0xc4, 0x82, 0xee],
  ...[0x61, 0x0d, 0xa9, 0x7f, 0x34, 0xd8, 0x16, 0xb2],
  ...[0xcb, 0x45, 0x90, 0x2e, 0xf7, 0x68, 0x13, 0xad],
]);

/** An error that was computed, and kept like a value. */
export class StoredError extends Error {
  /** The `name` of the error that was stored. */
  readonly originalName: string;

  /** The message is that of the error that was stored. */
  constructor(originalName: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StoredError";
    this.originalName = originalName;
  }
}

/** An error as bytes: its name and message, no stack. */
export function encodeError(error: unknown): Uint8Array {
  const { name, message } = error instanceof Error
    ? error
    : { name: "Error", message: String(error) };
  const text = new TextEncoder().encode(JSON.stringify({ name, message }));
  const bytes = new Uint8Array(MAGIC.length + text.length);
  bytes.set(MAGIC);
  bytes.set(text, MAGIC.length);
  return bytes;
}

/** Whether bytes are, or begin, a stored error. */
export function isStoredError(bytes: Uint8Array): boolean {
  return bytes.length >= MAGIC.length &&
    MAGIC.every((byte, at) => bytes[at] === byte);
}

/** The error that bytes are. */
export function decodeError(bytes: Uint8Array): StoredError {
  const text = new TextDecoder().decode(bytes.subarray(MAGIC.length));
  const { name, message } = JSON.parse(text);
  return new StoredError(String(name), String(message));
}

/** The same pieces; throws when they are a stored error. */
export async function* unlessStoredError(
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let head: Uint8Array | undefined = new Uint8Array();
  for await (const piece of pieces) {
    if (!head) {
      yield piece;
      continue;
    }
    head = Buffer.concat([head, piece]);
    if (head.length < MAGIC.length || isStoredError(head)) continue;
    yield head;
    head = undefined;
  }
  if (!head) return;
  if (isStoredError(head)) throw decodeError(head);
  yield head;
}
