/**
 * Puts large requests together as they come.
 *
 * grpc-js's decoder keeps the pieces of a message and copies them into one when
 * the last has come: for 64 MiB this kept everybody else waiting for some 100
 * ms, and took the memory twice.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** The decoder's states, as grpc-js numbers them. */
export const NO_DATA = 0, READING_SIZE = 1, READING_MESSAGE = 2;
/** Flag and length before each message. */
export const PREFIX_BYTES = 5;

/** What we use of grpc-js's decoder of one call; `write` is on its prototype. */
export interface MessageDecoder {
  readState?: number;
  /** Of the message that comes. */
  readMessageSize?: number;
  readMessageRemaining?: number;
  readCompressFlag?: Uint8Array;
  readPartialSize?: Uint8Array;
  readPartialMessage?: Uint8Array[];
  /** Takes bytes; returns the messages they complete, with their headers. */
  write?(data: Buffer): Buffer[];
}

/** How much of an incomplete message has come; `undefined`: there is none. */
export function begunMessage(
  decoder: MessageDecoder | undefined,
): { readonly messageBytes: number; readonly comeBytes: number } | undefined {
  if (decoder?.readState !== READING_MESSAGE) return undefined;
  const messageBytes = decoder.readMessageSize ?? 0;
  const missingBytes = decoder.readMessageRemaining ?? 0;
  return { messageBytes, comeBytes: messageBytes - missingBytes };
}

/**
 * Has the rest of the message that a decoder is reading written to where it will
 * lie. Does nothing when the decoder is not the one we know.
 *
 * @param decoder A decoder within a message.
 */
export function assembleInPlace(decoder: MessageDecoder): void {
  const { readMessageSize, readMessageRemaining, readPartialMessage } = decoder;
  const { readCompressFlag, readPartialSize } = decoder;
  if (
    Object.hasOwn(decoder, "write") || typeof decoder.write !== "function" ||
    !readMessageSize || !readMessageRemaining || !readPartialMessage ||
    !readCompressFlag || !readPartialSize
  ) return;
  const known = [readCompressFlag, readPartialSize, ...readPartialMessage];
  const wholeBytes = PREFIX_BYTES + readMessageSize;
  let whole: Buffer | undefined;
  let at = 0;
  const append = (piece: Uint8Array) => {
    // With the next piece, not before: until then the client may have to wait
    // for room. Not of the pool: it is handed to a worker as it is.
    whole ??= Buffer.allocUnsafeSlow(wholeBytes);
    whole.set(piece, at);
    at += piece.length;
  };
  decoder.write = (data) => {
    for (const piece of known.splice(0)) append(piece);
    decoder.readPartialMessage = [];
    const ours = data.subarray(0, wholeBytes - at);
    append(ours);
    decoder.readMessageRemaining = wholeBytes - at;
    if (at < wholeBytes) return [];
    delete decoder.write;
    decoder.readState = NO_DATA;
    return [whole!, ...decoder.write!(data.subarray(ours.length))];
  };
}
