/**
 * A caller that publishes values, in a process of its own:
 * `caller.ts ADDRESS TOKEN CONNECTIONS AT_ONCE BYTES`. A line in asks for the
 * times since the last, a line out tells. One that is refused asks again at once.
 *
 * @module
 */

import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import { loadService } from "../../src/client/services.ts";
import { answerLines } from "../../tests/support/reporting_child.ts";
import { timesOf } from "./figures.ts";

const SERVICE = loadService("remote.proto", "remote.RemoteCache");
const [address, token, ...numbers] = Deno.args as [string, string, ...string[]];
const [connections, atOnce, bytes] = numbers.map(Number) as [
  number,
  number,
  number,
];
const value = Buffer.alloc(bytes, 7);
const metadata = new Metadata();
metadata.set("authorization", `Bearer ${token}`);

let timesMs: number[] = [];
let refused = 0;

function call(
  client: Client,
  name: string,
  request: object,
): Promise<{ readonly assign?: { readonly id: string } }> {
  const { path, requestSerialize, responseDeserialize } = SERVICE[name]!;
  return new Promise((resolve, reject) =>
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadata,
      { deadline: Date.now() + 30_000 },
      (error, reply) => error ? reject(error) : resolve(reply!),
    )
  );
}

async function publish(client: Client): Promise<void> {
  const startMs = performance.now();
  const key = Buffer.from(crypto.randomUUID());
  const { assign } = await call(client, "Get", {
    namespace: "bench",
    key,
    assign: true,
  });
  if (!assign) return void refused++;
  try {
    await call(client, "Set", { id: assign.id, value });
    timesMs.push(performance.now() - startMs);
  } catch {
    refused++;
  }
}

async function publishAll(client: Client): Promise<void> {
  for (;;) await publish(client);
}

const clients = Array.from(
  { length: connections },
  () =>
    new Client(address, credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
    }),
);

function report(): object {
  const seen = { ...timesOf(timesMs), refused };
  [timesMs, refused] = [[], 0];
  return seen;
}

await Promise.all([
  answerLines(report),
  ...Array.from(
    { length: atOnce },
    (_, at) => publishAll(clients[at % connections]!),
  ),
]);
