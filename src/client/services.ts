/**
 * The services of the .proto files, as grpc-js wants them.
 *
 * proto-loader would do it, and describe the files for servers that offer
 * reflection, too: that took a twelfth of a `larder run` that finds its value.
 *
 * @module
 */

import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";
import type { Buffer } from "node:buffer";
import { fileURLToPath } from "node:url";
import protobuf from "protobufjs";

const PROTO = new URL("../../proto/", import.meta.url);
/** Ids do not fit a JavaScript number: they are decimal strings. */
const CONVERSION = { longs: String, oneofs: true, defaults: true };

/** Files that were read: each client of a server needs the same. */
const roots = new Map<string, protobuf.Root>();
const services = new Map<string, ServiceDefinition>();

/** Loads a service such as `remote.RemoteCache` from a file such as `remote.proto`. */
export function loadService(file: string, name: string): ServiceDefinition {
  let service = services.get(name);
  if (!service) {
    const { methodsArray } = rootOf(file).lookupService(name);
    service = Object.fromEntries(
      methodsArray.map((method) => [method.name, definitionOf(name, method)]),
    );
    services.set(name, service);
  }
  return service;
}

function rootOf(file: string): protobuf.Root {
  let root = roots.get(file);
  if (!root) {
    root = protobuf.loadSync(fileURLToPath(new URL(file, PROTO)));
    root.resolveAll();
    roots.set(file, root);
  }
  return root;
}

function definitionOf(
  service: string,
  method: protobuf.Method,
): MethodDefinition<object, object> {
  const { name, requestStream, responseStream } = method;
  const request = codecOf(method.resolvedRequestType!);
  const response = codecOf(method.resolvedResponseType!);
  return {
    path: `/${service}/${name}`,
    requestStream: requestStream === true,
    responseStream: responseStream === true,
    requestSerialize: request.serialize,
    requestDeserialize: request.deserialize,
    responseSerialize: response.serialize,
    responseDeserialize: response.deserialize,
  };
}

function codecOf(type: protobuf.Type) {
  return {
    serialize: (message: object): Buffer =>
      type.encode(type.fromObject(message)).finish() as Buffer,
    deserialize: (bytes: Buffer): object =>
      type.toObject(type.decode(bytes), CONVERSION),
  };
}
