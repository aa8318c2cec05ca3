/**
 * Answers a heartbeat, and a Get with a value, without a thought, on the
 * transport that the server uses: what a cache costs is its distance from this.
 *
 * ```sh
 * deno run --allow-net=127.0.0.1 --allow-read --ignore-env bench/empty_server.ts
 * ```
 *
 * It announces itself as the server does.
 *
 * @module
 */

import { Edge } from "../src/rpc/edge.ts";
import { EMPTY_PARTS, readyValue } from "../src/rpc/replies.ts";
import { readGetRequest, readIdRequest } from "../src/rpc/requests.ts";
import { HIT_1_KIB } from "./entries.ts";

const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

if (import.meta.main) {
  const edge = new Edge({
    warn: (message) => console.error(`empty server: ${message}`),
    maxMessageBytes: MAX_MESSAGE_BYTES,
  });
  const value = readyValue(new Uint8Array(HIT_1_KIB.size));
  const { address } = edge.listen("127.0.0.1:0", [
    (server) =>
      server.unary({
        path: "/remote.RemoteCache/Heartbeat",
        requestStream: false,
        responseStream: false,
        decode: readIdRequest,
        encode: () => EMPTY_PARTS,
      }, () => undefined),
    (server) =>
      server.unary({
        path: "/remote.RemoteCache/Get",
        requestStream: false,
        responseStream: false,
        decode: readGetRequest,
        encode: () => value,
      }, () => undefined),
  ]);
  console.log(`larder: RemoteCache on ${address}`);
  console.log("larder: ready");
}
