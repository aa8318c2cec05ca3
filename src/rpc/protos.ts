/**
 * The service definitions, from the .proto files.
 *
 * @module
 */

import type { ServiceDefinition } from "@grpc/grpc-js";
import * as protoLoader from "@grpc/proto-loader";
import { type Described, strictRequests } from "./strict_wire.ts";

/** Ids do not fit a JavaScript number: they are decimal strings in here. */
const OPTIONS: protoLoader.Options = {
  longs: String,
  defaults: true,
  oneofs: true,
};

const FOLDER = new URL("../../proto/", import.meta.url);

/** Loads a service such as `remote.RemoteCache` from a file such as `remote.proto`. */
export function loadService(file: string, name: string): ServiceDefinition {
  const path = decodeURIComponent(new URL(file, FOLDER).pathname);
  const all = protoLoader.loadSync(path, OPTIONS);
  const loaded = all[name];
  if (!loaded || "format" in loaded) {
    throw new Error(`${file} does not define the service ${name}`);
  }
  const packageName = name.slice(0, name.lastIndexOf("."));
  return strictRequests(loaded as ServiceDefinition, (message) => {
    const described = all[`${packageName}.${message}`];
    if (!described || !("type" in described)) {
      throw new Error(`${file} does not define the message ${message}`);
    }
    return described.type as ReturnType<Described>;
  });
}
