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

import { systemClock } from "../src/clock.ts";
import { CallCounts, GrpcServer, methodOf } from "../src/grpc/mod.ts";
import { Connections, Http2Listener, nextTurn } from "../src/http2/mod.ts";
import { remoteService } from "./services.ts";

const HOSTNAME = "127.0.0.1";
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
const EMPTY = {};

if (import.meta.main) {
  const log = (message: string) => console.error(`empty server: ${message}`);
  const server = new GrpcServer({
    clock: systemClock,
    maxMessageBytes: MAX_MESSAGE_BYTES,
    log,
    counts: new CallCounts(),
    nextTurn,
  });
  server.unary(methodOf(remoteService.Heartbeat!), () => EMPTY);
  const { port } = new Http2Listener({
    hostname: HOSTNAME,
    port: 0,
    handler: server.handleRequest,
    connections: new Connections({ warn: log }),
    warn: log,
  });
  console.log(`larder: RemoteCache on ${HOSTNAME}:${port}`);
  console.log("larder: ready");
}
