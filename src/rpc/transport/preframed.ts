/**
 * Replies that are sent as they are.
 *
 * grpc-js copies each serialized message behind a new 5-byte frame header. A
 * large value that many clients ask for can keep its header in front of it
 * instead: one Buffer, framed once, shared by any number of replies and never
 * written to.
 *
 * A method uses it through its `responseSerialize`, which grpc-js calls, and
 * uses the result of, within one synchronous function. That function is what we
 * wrap: it gives back a marked Buffer untouched and does its usual work for
 * every other. Nothing is remembered across calls, so a reply can never be
 * mistaken for another.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { ServerHttp2Stream } from "node:http2";
import { BaseServerInterceptingCall } from "@grpc/grpc-js/build/src/server-interceptors.js";
import { linkOf } from "./connection.ts";

/** Bytes of the gRPC frame header: a flag and a big-endian length. */
export const FRAME_HEADER_BYTES = 5;

/** Up to this a copy costs less than a write in several parts. */
const COPIED_BYTES = 4 * 1024;

const kRest = Symbol("larder rest of a reply");
type Head = Uint8Array & { [kRest]?: readonly Uint8Array[] };

/** The Buffer that a serializer has just returned and that is framed. */
let framedResult: Buffer | undefined;

/** What we use of grpc-js's call. */
interface SerializingCall {
  handler: { serialize(value: unknown): Buffer };
  stream: ServerHttp2Stream;
}
type Serialize = (this: SerializingCall, value: unknown) => Buffer;

const installed = install();

function install(): boolean {
  const prototype = BaseServerInterceptingCall?.prototype as unknown as
    | { serializeMessage?: Serialize }
    | undefined;
  const original = prototype?.serializeMessage;
  if (prototype === undefined || typeof original !== "function") return false;
  prototype.serializeMessage = function (value): Buffer {
    framedResult = undefined;
    const message = this.handler.serialize(value);
    if (message !== framedResult) {
      return original.call(asSerialized(message), value);
    }
    framedResult = undefined;
    const rest = restOf(message);
    // Without slices a write is one Buffer, and the rest would be lost.
    return rest === undefined || linkOf(this.stream)?.sliced === true
      ? message
      : Buffer.concat([message, ...rest]);
  };
  return true;
}

/** A call for grpc-js's own method whose message is serialized already. */
function asSerialized(message: Buffer): SerializingCall {
  return {
    handler: { serialize: () => message },
  } as unknown as SerializingCall;
}

/**
 * Whether frames are sent without a copy. When a future grpc-js hides the
 * method that is wrapped, replies are still right, only slower.
 *
 * @returns Whether the wrapper is in place.
 */
export function preframedAvailable(): boolean {
  return installed;
}

/**
 * Puts a message behind its frame header.
 *
 * @param parts The serialized message in one or several parts.
 * @returns The frame, for {@linkcode serializePreframed}.
 */
export function frameMessage(...parts: Uint8Array[]): Buffer {
  let messageBytes = 0;
  for (const part of parts) messageBytes += part.byteLength;
  const frame = Buffer.allocUnsafeSlow(FRAME_HEADER_BYTES + messageBytes);
  writeHeader(frame, messageBytes);
  let offset = FRAME_HEADER_BYTES;
  for (const part of parts) {
    frame.set(part, offset);
    offset += part.byteLength;
  }
  return frame;
}

/**
 * Returns a frame from a `responseSerialize`, to be sent without a copy.
 *
 * @param framed The frame: header and message. It may be shared; it must not
 * change while a reply with it is in flight.
 * @returns What `responseSerialize` must return, at once.
 */
export function serializePreframed(framed: Buffer): Buffer {
  if (!installed) return framed.subarray(FRAME_HEADER_BYTES);
  return framedResult = framed;
}

/**
 * Returns a message in several parts from a `responseSerialize`: typically a
 * few bytes that are made for the reply and a large body that is shared and is
 * not copied.
 *
 * @param head The first bytes of the message; copied.
 * @param rest The other parts, in order; not copied, and not to be changed
 * while the reply is in flight.
 * @returns What `responseSerialize` must return, at once.
 */
export function serializeParts(
  head: Uint8Array,
  ...rest: Uint8Array[]
): Buffer {
  if (!installed) return Buffer.concat([head, ...rest]);
  let messageBytes = head.byteLength;
  for (const part of rest) messageBytes += part.byteLength;
  const whole = messageBytes <= COPIED_BYTES;
  const framedBytes = whole ? messageBytes : head.byteLength;
  const framed = Buffer.allocUnsafe(FRAME_HEADER_BYTES + framedBytes);
  writeHeader(framed, messageBytes);
  framed.set(head, FRAME_HEADER_BYTES);
  if (whole) {
    let offset = FRAME_HEADER_BYTES + head.byteLength;
    for (const part of rest) {
      framed.set(part, offset);
      offset += part.byteLength;
    }
    return framedResult = framed;
  }
  (framed as Head)[kRest] = rest.filter((part) => part.byteLength > 0);
  return framedResult = framed;
}

/**
 * The parts that follow a Buffer on the wire.
 *
 * @param data What is being written.
 * @returns The parts, or `undefined` for an ordinary Buffer.
 */
export function restOf(data: Uint8Array): readonly Uint8Array[] | undefined {
  return (data as Head)[kRest];
}

function writeHeader(frame: Buffer, messageBytes: number): void {
  frame.writeUInt8(0, 0);
  frame.writeUInt32BE(messageBytes, 1);
}
