/**
 * Calls a server that leaves again and again, from many connections at once;
 * ends well when it has been left for so many times.
 *
 * ADDRESS TIMES CURES: `bare` leaves the cure out
 *
 * @module
 */

import {
  Client,
  type ClientOptions,
  credentials,
  Metadata,
} from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import { guardDeno } from "../../../src/client/deno_guard.ts";

const [address, times, cures] = Deno.args;
if (cures !== "bare") guardDeno();

const CONNECTIONS = 4;
const CALLS = 25;
const OPTIONS: ClientOptions = {
  "grpc.use_local_subchannel_pool": 1,
  "grpc.enable_retries": 0,
};

let left = 0;

function connect(): Client {
  return new Client(address!, credentials.createInsecure(), OPTIONS);
}

function call(client: Client): Promise<void> {
  const asIs = (bytes: Uint8Array) => Buffer.from(bytes);
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      "/leaving.Server/Call",
      asIs,
      asIs,
      Buffer.alloc(2_000),
      new Metadata(),
      { deadline: Date.now() + 1_000 },
      () => resolve(),
    );
  });
}

async function beLeft(): Promise<void> {
  while (left < Number(times)) {
    const client = connect();
    for (let rounds = 0; rounds < 3; rounds++) {
      await Promise.all(Array.from({ length: CALLS }, () => call(client)));
    }
    client.close();
    left++;
  }
}

await Promise.all(Array.from({ length: CONNECTIONS }, beLeft));
console.log("alive");
