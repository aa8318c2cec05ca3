/**
 * Computes something once, however often and wherever it is run.
 *
 * ```sh
 * deno run --allow-net --allow-read --allow-env docs/examples/compute_once.ts 127.0.0.1:28056 42
 * ```
 *
 * @module
 */

import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { fileURLToPath } from "node:url";

const [address = "127.0.0.1:28056", input = "42"] = Deno.args;
const proto = fileURLToPath(
  new URL("../../proto/remote.proto", import.meta.url),
);
const { remote } = grpc.loadPackageDefinition(
  loadSync(proto, { longs: String, oneofs: true }),
) as unknown as { remote: { RemoteCache: grpc.ServiceClientConstructor } };
const cache = new remote.RemoteCache(
  address,
  grpc.credentials.createInsecure(),
);

interface GetReply {
  readonly assign?: { id: string; heartbeatIntervalMs: string };
  readonly loading?: object;
  readonly ready?: Uint8Array;
}

function call<Reply>(method: string, request: object): Promise<Reply> {
  return new Promise((resolve, reject) =>
    cache[method]!(
      request,
      (error: Error | null, reply: Reply) =>
        error ? reject(error) : resolve(reply),
    )
  );
}

/** What takes hours in earnest. */
async function simulate(input: string): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, 200));
  return `the result for ${input}`;
}

const key = new TextEncoder().encode(input);
for (;;) {
  const request = { namespace: "example.simulation", key, assign: true };
  const { assign, loading, ready } = await call<GetReply>("get", request);
  if (ready) {
    console.log(`from the cache: ${new TextDecoder().decode(ready)}`);
  } else if (assign) {
    const { id, heartbeatIntervalMs } = assign;
    const beat = setInterval(
      () => call("heartbeat", { id }).catch(() => {}),
      Number(heartbeatIntervalMs),
    );
    const result = await simulate(input);
    clearInterval(beat);
    await call("set", { id, value: new TextEncoder().encode(result) });
    console.log(`computed: ${result}`);
  } else if (loading) {
    // Somebody else computes it: ask again in a while.
    await new Promise((resolve) => setTimeout(resolve, 50));
    continue;
  } else {
    console.log(`computed, not cached: ${await simulate(input)}`);
  }
  break;
}
cache.close();
