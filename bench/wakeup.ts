/**
 * How long the last of many clients waits that wait for one key: from the
 * answer to the Publish until the last of them has the value.
 *
 *   deno run -A bench/wakeup.ts
 *
 * @module
 */

import { CacheClient, drained, first } from "../tests/v1/client.ts";
import { median } from "./sample.ts";
import { startLarder } from "./server_process.ts";

const CLIENTS = 200;
const ROUNDS = 10;
const VALUE_BYTES = 1024;
/** What the median must stay within. */
const GOAL_MS = 20;

/** Milliseconds; negative where all were served before the publisher heard. */
async function round(
  holder: CacheClient,
  clients: readonly CacheClient[],
  key: string,
): Promise<number> {
  const { id } = await holder.assigned("bench", key);
  const begun = await Promise.all(
    clients.map((client) => first(client.fetch("bench", key))),
  );
  const served = begun.map(async ({ rest }) => {
    const { bytes } = await drained(rest);
    if (bytes.length !== VALUE_BYTES) throw new Error("not the value");
    return performance.now();
  });
  await holder.publish(id, [new Uint8Array(VALUE_BYTES)]);
  const publishedMs = performance.now();
  return Math.max(...await Promise.all(served)) - publishedMs;
}

if (import.meta.main) {
  const root = Deno.makeTempDirSync({ prefix: "larder-bench-" });
  try {
    await using server = await startLarder(root);
    using stack = new DisposableStack();
    const clients = Array.from(
      { length: CLIENTS },
      () => stack.use(new CacheClient(server.remote)),
    );
    const holder = stack.use(new CacheClient(server.remote));
    const times: number[] = [];
    for (let each = 0; each < ROUNDS; each++) {
      times.push(await round(holder, clients, `key ${each}`));
    }
    console.log(
      `${CLIENTS} clients wait for one key: the last is served ` +
        `${median(times).toFixed(1)} ms after the publish (goal ${GOAL_MS}; ` +
        `median of ${ROUNDS}, worst ${Math.max(...times).toFixed(1)})`,
    );
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}
