/**
 * How well strict durability shares its syncs: syncs for each acknowledged Set
 * of one caller and of many, counted by strace, and the speed without it.
 *
 * ```sh
 * deno run -A bench/strict.ts
 * ```
 *
 * @module
 */

import { RemoteClient } from "../tests/support/clients.ts";
import { ServerProcess } from "../tests/support/server_process.ts";
import { whyNoTracer } from "../tests/support/strace.ts";
import { trace } from "../tests/support/syscalls.ts";

const SETS = 640;
const CALLERS = [1, 32];
const VALUE = new Uint8Array(1024).fill(7);
const KINDS = {
  values: /\/\.private\//,
  manifest: /\/cache\.sqlite/,
  folders: /./,
};

/** Syncs, by what was synced. */
type Syncs = Record<keyof typeof KINDS, number>;

/** Publishes so many values by so many callers; how many a second. */
async function publish(
  remote: RemoteClient,
  ids: readonly string[],
  callers: number,
): Promise<number> {
  const began = performance.now();
  const left = ids.values();
  // They share one iterator: each takes the next id.
  await Promise.all(Array.from({ length: callers }, async () => {
    for (const id of left) await remote.set(id, VALUE);
  }));
  return ids.length / ((performance.now() - began) / 1000);
}

async function assignments(remote: RemoteClient): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < SETS; i++) {
    ids.push((await remote.assigned("bench.strict", crypto.randomUUID())).id);
  }
  return ids;
}

async function countSyncs(
  pid: number,
  work: () => Promise<unknown>,
): Promise<Syncs> {
  const tracing = await trace(pid, ["fsync", "fdatasync"]);
  await work();
  const syncs: Syncs = { values: 0, manifest: 0, folders: 0 };
  for (const { text } of await tracing.stop()) {
    for (const [kind, pattern] of Object.entries(KINDS)) {
      if (!pattern.test(text)) continue;
      syncs[kind as keyof Syncs]++;
      break;
    }
  }
  return syncs;
}

async function main(): Promise<void> {
  const missing = await whyNoTracer();
  if (missing !== undefined) console.log(`syncs are not counted: ${missing}`);
  const root = await Deno.makeTempDir({ prefix: "larder-strict-" });
  try {
    await using server = await ServerProcess.start(root, {
      args: ["--durability", "strict", "--heartbeat-timeout", "10m"],
    });
    const pid = await server.serverPid();
    using remote = new RemoteClient(server.remote);
    // What a server runs for the first time is still being compiled.
    await publish(remote, await assignments(remote), 32);
    console.log(
      "| callers | Sets/s | value syncs per Set | folder | manifest |",
    );
    console.log(
      "| ------: | -----: | ------------------: | -----: | -------: |",
    );
    for (const callers of CALLERS) {
      const ids = await assignments(remote);
      const perSecond = await publish(remote, ids, callers);
      const counted = await assignments(remote);
      const syncs = missing === undefined
        ? await countSyncs(pid, () => publish(remote, counted, callers))
        : undefined;
      const each = (kind: keyof Syncs) =>
        syncs ? (syncs[kind] / SETS).toFixed(2) : "?";
      console.log(
        `| ${callers} | ${perSecond.toFixed(0)} | ${each("values")} | ${
          each("folders")
        } | ${each("manifest")} |`,
      );
    }
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

if (import.meta.main) await main();
