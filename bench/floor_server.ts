/**
 * The floor of the bench: handlers that do nothing, on the transport that the
 * server uses. What a cache costs is its distance from this.
 *
 * ```sh
 * deno run --allow-net=127.0.0.1 --allow-read --allow-write=FOLDER --ignore-env bench/floor_server.ts FOLDER
 * ```
 *
 * It announces itself as the server does.
 *
 * @module
 */

import {
  type sendUnaryData,
  type Server,
  ServerCredentials,
  type ServerUnaryCall,
} from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import { createHardenedServer } from "../src/rpc/transport/mod.ts";
import { HIT_1_KIB, HIT_1_MIB } from "./entries.ts";
import { localService, remoteService } from "./services.ts";

/** Files that local assignments name, in turn: so many are never in use at once. */
const FILES = 1_024;
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
const ID = "4611686018427387904";

interface GetRequest {
  readonly namespace: string;
  readonly assign: boolean;
}

/** The one place that knows of the transport. */
function createServer(): Server {
  return createHardenedServer({
    warn: (message) => console.error(`floor: ${message}`),
    serverOptions: {
      "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
      "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
    },
  });
}

function addServices(server: Server, folder: string): void {
  const assign = { assign: { id: ID, heartbeat_interval_ms: "2000" } };
  const values: Record<string, object> = {
    [HIT_1_KIB.namespace]: { ready: Buffer.alloc(HIT_1_KIB.size) },
    [HIT_1_MIB.namespace]: { ready: Buffer.alloc(HIT_1_MIB.size) },
  };
  const files = Array.from({ length: FILES }, (_, i) => `${folder}/${i}`);
  let next = 0;
  const empty = (_call: unknown, done: sendUnaryData<object>) => done(null, {});

  server.addService(remoteService, {
    Get(
      call: ServerUnaryCall<GetRequest, object>,
      done: sendUnaryData<object>,
    ) {
      done(null, values[call.request.namespace] ?? assign);
    },
    Heartbeat: empty,
    Set: empty,
  });
  server.addService(localService, {
    Get(
      call: ServerUnaryCall<GetRequest, object>,
      done: sendUnaryData<object>,
    ) {
      const path = files[next++ % FILES]!;
      done(
        null,
        call.request.assign
          ? { assign: { id: ID, path, heartbeat_interval_ms: "2000" } }
          : { ready: { id: ID, path } },
      );
    },
    Heartbeat: empty,
    Done: empty,
    Drop: empty,
  });
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(
      "127.0.0.1:0",
      ServerCredentials.createInsecure(),
      (error, port) => error ? reject(error) : resolve(port),
    );
  });
}

if (import.meta.main) {
  const folder = Deno.args[0];
  if (folder === undefined) {
    throw new TypeError("Cannot start the floor: name a folder");
  }
  const server = createServer();
  addServices(server, folder);
  const port = await listen(server);
  // One port serves both: a floor has no use for two.
  console.log(`larder: LocalCache on 127.0.0.1:${port}`);
  console.log(`larder: RemoteCache on 127.0.0.1:${port}`);
  console.log("larder: ready");
}
