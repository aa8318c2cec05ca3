/**
 * Answers a heartbeat without a thought, on the transport that the server uses:
 * what a cache costs is its distance from this.
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
import { EMPTY_PARTS } from "../src/rpc/replies.ts";
import { readIdRequest } from "../src/rpc/requests.ts";

const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

if (import.meta.main) {
  const edge = new Edge({
    warn: (message) => console.error(`empty server: ${message}`),
    maxMessageBytes: MAX_MESSAGE_BYTES,
  });
  const { address } = edge.listen("127.0.0.1:0", [(server) =>
    server.unary({
      path: "/remote.RemoteCache/Heartbeat",
      requestStream: false,
      responseStream: false,
      decode: readIdRequest,
      encode: () => EMPTY_PARTS,
    }, () => undefined)]);
  console.log(`larder: RemoteCache on ${address}`);
  console.log("larder: ready");
}
