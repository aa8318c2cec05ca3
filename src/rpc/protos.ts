/**
 * The methods of a service, from the .proto files: their codecs are
 * protobufjs's, and refuse what is garbled.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import * as protoLoader from "@grpc/proto-loader";
import { type MethodDefinition, methodOf } from "../grpc/definitions.ts";
import type { Method } from "../grpc/method.ts";
import { malformed } from "./malformed.ts";
import { checkMessage, type Described, shapeOf } from "./strict_wire.ts";

/** Ids do not fit a JavaScript number: they are decimal strings in here. */
const OPTIONS: protoLoader.Options = {
  longs: String,
  defaults: true,
  oneofs: true,
};

const FOLDER = new URL("../../proto/", import.meta.url);

/** Files that were read: both addresses offer services of the same ones. */
const read = new Map<string, protoLoader.PackageDefinition>();

/** The method of a service that has this name. */
export type Methods = <Request, Response>(
  name: string,
) => Method<Request, Response>;

/** Where one of the .proto files is. */
export function protoPath(file: string): string {
  return fileURLToPath(new URL(file, FOLDER));
}

function definitionsOf(file: string): protoLoader.PackageDefinition {
  let definitions = read.get(file);
  if (!definitions) {
    definitions = protoLoader.loadSync(protoPath(file), OPTIONS);
    read.set(file, definitions);
  }
  return definitions;
}

/** Loads a service such as `remote.RemoteCache` from a file such as `remote.proto`. */
export function loadMethods(file: string, service: string): Methods {
  const all = definitionsOf(file);
  const loaded = all[service];
  if (!loaded || "format" in loaded) {
    throw new Error(`${file} does not define the service ${service}`);
  }
  const packageName = service.slice(0, service.lastIndexOf("."));
  function describe(message: string): ReturnType<Described> {
    const described = all[`${packageName}.${message}`];
    if (!described || !("type" in described)) {
      throw new Error(`${file} does not define the message ${message}`);
    }
    return described.type as ReturnType<Described>;
  }
  return <Request, Response>(
    name: string,
  ): Method<Request, Response> => {
    const definition = loaded[name];
    if (!definition) throw new Error(`${service} has no method ${name}`);
    const method: Method<Request, Response> = methodOf(
      // Which messages these are is for those to say who handle them.
      definition as unknown as MethodDefinition<Request, Response>,
    );
    const { name: request } = definition.requestType.type as { name: string };
    const shape = shapeOf(request, describe);
    return {
      ...method,
      decode(bytes, owned) {
        const why = checkMessage(bytes, shape);
        if (why !== undefined) throw malformed(why);
        return method.decode(bytes, owned);
      },
    };
  };
}
