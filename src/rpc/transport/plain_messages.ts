/**
 * Refuses compressed requests before they are inflated.
 *
 * 61 KB that grow to 60 MiB are below every limit on messages, and 64 such
 * calls at once made 5.7 GB. The original server takes no compressed requests
 * either, so that no client sends them.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import type { ServerHttp2Stream } from "node:http2";
import { status } from "@grpc/grpc-js";
import { BaseServerInterceptingCall } from "@grpc/grpc-js/build/src/server-interceptors.js";
import { linkOf } from "./connection.ts";

/** What we use of grpc-js's call. */
interface ReceivingCall {
  stream: ServerHttp2Stream;
}
type Decompress = (
  this: ReceivingCall,
  message: Buffer,
  encoding: string,
) => Buffer | Promise<Buffer>;

const installed = install();

function install(): boolean {
  const prototype = BaseServerInterceptingCall?.prototype as unknown as
    | { decompressMessage?: Decompress }
    | undefined;
  const original = prototype?.decompressMessage;
  if (prototype === undefined || typeof original !== "function") return false;
  prototype.decompressMessage = function (message, encoding) {
    const ours = linkOf(this.stream) !== undefined;
    if (!ours || encoding === "identity") {
      return original.call(this, message, encoding);
    }
    return Promise.reject({
      code: status.UNIMPLEMENTED,
      details:
        `compressed requests (${encoding}) are not taken: send them plain`,
    });
  };
  return true;
}

/**
 * Whether compressed requests are refused.
 *
 * @returns Whether the wrapper is in place.
 */
export function compressionRefused(): boolean {
  return installed;
}
