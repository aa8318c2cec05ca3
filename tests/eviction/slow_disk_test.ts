/** At its limit a server refuses no work, also where hundreds of values make room for one. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { RemoteClient } from "../support/clients.ts";
import { withRoot } from "../support/root.ts";
import { ServerProcess } from "../support/server_process.ts";

const PROGRAM = fileURLToPath(new URL("./slow_server.ts", import.meta.url));
const NS = "tests.slow_disk";
const KIB = 1024;
const MIB = 1024 * KIB;
const WRITERS = 16;
/** 32 files are removed at once: those of all small values take 1.3 s. */
const REMOVAL_MS = 80;
const SMALL_VALUES = 512;

/**
 * A Get waits for 500 ms, in which a busy machine may not come to choose what goes.
 * It is not that busy each time; waiting for the files takes too long each time.
 */
const TRIES = 3;

/** Publishes values that need room; what was refused work. */
async function refusedWork(): Promise<string[]> {
  const refused: string[] = [];
  await withRoot(async (root) => {
    await using server = await ServerProcess.start(root, {
      program: [PROGRAM, `${REMOVAL_MS}`],
      // What the writers have in work is a quarter of it.
      args: ["--max-bytes", `${4 * WRITERS}MiB`],
    });
    using remote = new RemoteClient(server.remote);
    async function publishAll(
      name: string,
      { count, bytes }: { readonly count: number; readonly bytes: number },
    ): Promise<void> {
      let next = 0;
      await Promise.all(Array.from({ length: WRITERS }, async () => {
        while (next < count) {
          const key = `${name} ${next++}`;
          const { entryStatus, assign } = await remote.get(NS, key);
          if (assign) await remote.set(assign.id, new Uint8Array(bytes));
          else refused.push(`${key} ${entryStatus}`);
        }
      }));
    }
    await publishAll("small", { count: SMALL_VALUES, bytes: 2 * KIB });
    await publishAll("large", { count: 96, bytes: MIB });
  });
  return refused;
}

Deno.test("values that need the room of hundreds of small ones do not wait for their files to go", async () => {
  let refused: string[] = [];
  for (let tries = 0; tries < TRIES; tries++) {
    refused = await refusedWork();
    if (refused.length === 0) break;
  }
  assert.deepEqual(refused, []);
});
