/**
 * The two services as proto-loader reads them: for the seeding client, and the
 * request bodies that h2load sends.
 *
 * @module
 */

import { loadPackageDefinition, type ServiceDefinition } from "@grpc/grpc-js";
import type { ServiceClientConstructor } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { Buffer } from "node:buffer";
import { fileURLToPath } from "node:url";

function load(name: "local" | "remote"): ServiceClientConstructor {
  const file = fileURLToPath(
    new URL(`../proto/${name}.proto`, import.meta.url),
  );
  const loaded = loadPackageDefinition(
    // Ids exceed what a number holds.
    loadSync(file, { keepCase: true, longs: String, oneofs: true }),
  )[name] as Record<string, ServiceClientConstructor>;
  return loaded[name === "local" ? "LocalCache" : "RemoteCache"]!;
}

/** The client class of LocalCache. */
export const LocalCache: ServiceClientConstructor = load("local");
/** The client class of RemoteCache. */
export const RemoteCache: ServiceClientConstructor = load("remote");
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
