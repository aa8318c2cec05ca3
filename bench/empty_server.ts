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

import { type sendUnaryData, ServerCredentials } from "@grpc/grpc-js";
import { createHardenedServer } from "../src/rpc/transport/mod.ts";
import { remoteService } from "./services.ts";

const { Heartbeat } = remoteService;

if (import.meta.main) {
  const server = createHardenedServer({
    warn: (message) => console.error(`empty server: ${message}`),
    serverOptions: {},
  });
  server.addService({ Heartbeat: Heartbeat! }, {
    Heartbeat: (_call: unknown, done: sendUnaryData<object>) => done(null, {}),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(
      "127.0.0.1:0",
      ServerCredentials.createInsecure(),
      (error, port) => error ? reject(error) : resolve(port),
    );
  });
  console.log(`larder: RemoteCache on 127.0.0.1:${port}`);
  console.log("larder: ready");
}
