/**
 * A small service for tests, without protobuf: a request is a number of bytes,
 * a reply is that many bytes of a known pattern.
 *
 * @module
 */

import * as grpc from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import { guardDeno } from "../../../client/deno_guard.ts";
import { frameMessage, serializeParts, serializePreframed } from "../mod.ts";

// The clients of the tests live in a Deno too, and meet servers that stop.
guardDeno();

/** The path of the unary method that replies with plain Buffers. */
export const PLAIN_PATH = "/test.Echo/Plain";
/** The path of the unary method that replies with shared frames. */
export const FRAMED_PATH = "/test.Echo/Framed";
/** The path of the unary method that replies with shared parts. */
export const PARTS_PATH = "/test.Echo/Parts";
/** The path of the unary method that replies with the request. */
export const ECHO_PATH = "/test.Echo/Echo";

/**
 * Makes bytes that no slice of which looks like another.
 *
 * @param byteLength How many.
 * @returns The bytes.
 */
export function pattern(byteLength: number): Buffer {
  const bytes = Buffer.alloc(byteLength);
  for (let i = 0; i + 4 <= byteLength; i += 4) bytes.writeUInt32LE(i, i);
  return bytes;
}

const identity = (value: Buffer): Buffer => value;
const shape = {
  requestStream: false,
  responseStream: false,
  requestSerialize: identity,
  requestDeserialize: identity,
  responseDeserialize: identity,
} as const;

/** The service's definition; all messages are Buffers. */
export const ECHO_SERVICE: grpc.ServiceDefinition = {
  plain: { ...shape, path: PLAIN_PATH, responseSerialize: identity },
  framed: {
    ...shape,
    path: FRAMED_PATH,
    responseSerialize: serializePreframed,
  },
  parts: {
    ...shape,
    path: PARTS_PATH,
    responseSerialize: (body: Buffer) =>
      serializeParts(
        body.subarray(0, 3),
        body.subarray(3, 100_000),
        body.subarray(100_000),
      ),
  },
  echo: { ...shape, path: ECHO_PATH, responseSerialize: identity },
};

const bodies = new Map<number, Buffer>();
const frames = new Map<number, Buffer>();

/**
 * The one shared body of a length.
 *
 * @param byteLength Its length.
 * @returns The same Buffer each time.
 */
export function sharedBody(byteLength: number): Buffer {
  let body = bodies.get(byteLength);
  if (body === undefined) bodies.set(byteLength, body = pattern(byteLength));
  return body;
}

/**
 * The one shared frame of a body.
 *
 * @param byteLength The body's length.
 * @returns The same Buffer each time.
 */
export function sharedFrame(byteLength: number): Buffer {
  let frame = frames.get(byteLength);
  if (frame === undefined) {
    frames.set(byteLength, frame = frameMessage(sharedBody(byteLength)));
  }
  return frame;
}

type Call = grpc.ServerUnaryCall<Buffer, Buffer>;

const wanted = (call: Call) => call.request.readUInt32BE(0);

let served = 0;

/**
 * How many calls have reached a handler in this process.
 *
 * @returns The number.
 */
export function callsServed(): number {
  return served;
}

function handler(
  answer: (call: Call) => Buffer,
): grpc.handleUnaryCall<Buffer, Buffer> {
  return (call, reply) => {
    served++;
    reply(null, answer(call));
  };
}

/** The handlers of {@linkcode ECHO_SERVICE}. */
export const ECHO_HANDLERS: grpc.UntypedServiceImplementation = {
  plain: handler((call) => sharedBody(wanted(call))),
  framed: handler((call) => sharedFrame(wanted(call))),
  parts: handler((call) => sharedBody(wanted(call))),
  echo: handler((call) => call.request),
};

/**
 * Starts listening.
 *
 * @param server The server.
 * @returns The port.
 */
export function listen(server: grpc.Server): Promise<number> {
  server.addService(ECHO_SERVICE, ECHO_HANDLERS);
  return new Promise((resolve, reject) => {
    server.bindAsync(
      "127.0.0.1:0",
      grpc.ServerCredentials.createInsecure(),
      (error, port) => error === null ? resolve(port) : reject(error),
    );
  });
}

/**
 * Makes a call with a client of its own connections.
 *
 * @param client The client.
 * @param path The method.
 * @param byteLength How many bytes the reply shall have.
 * @returns The reply.
 */
export function askFor(
  client: grpc.Client,
  path: string,
  byteLength: number,
): Promise<Buffer> {
  const request = Buffer.alloc(4);
  request.writeUInt32BE(byteLength);
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      path,
      identity,
      identity,
      request,
      (error, reply) => error === null ? resolve(reply!) : reject(error),
    );
  });
}

/**
 * Makes a client that shares no connection with another.
 *
 * @param port The server's port.
 * @returns The client.
 */
export function connectTo(port: number): grpc.Client {
  return new grpc.Client(
    `127.0.0.1:${port}`,
    grpc.credentials.createInsecure(),
    {
      "grpc.max_receive_message_length": -1,
      "grpc.use_local_subchannel_pool": 1,
    },
  );
}
