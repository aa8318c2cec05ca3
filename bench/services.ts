/**
 * RemoteCache as proto-loader reads it: for the seeding client, and the request
 * bodies that h2load sends.
 *
 * @module
 */

import { loadPackageDefinition, type ServiceDefinition } from "@grpc/grpc-js";
import type { ServiceClientConstructor } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { Buffer } from "node:buffer";
import { fileURLToPath } from "node:url";

const { RemoteCache: Client } = loadPackageDefinition(
  loadSync(
    fileURLToPath(new URL("../proto/remote.proto", import.meta.url)),
    // Ids exceed what a number holds.
    { keepCase: true, longs: String, oneofs: true },
  ),
).remote as Record<string, ServiceClientConstructor>;

/** The client class of RemoteCache. */
export const RemoteCache: ServiceClientConstructor = Client!;
const remoteService: ServiceDefinition = RemoteCache.service;

/** A request of RemoteCache as it goes over HTTP/2: gRPC's prefix, then the message. */
export function remoteFrame(
  method: string,
  request: object,
): Uint8Array<ArrayBuffer> {
  const message = remoteService[method]!.requestSerialize(request);
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  message.copy(frame, 5);
  return new Uint8Array(frame);
}
