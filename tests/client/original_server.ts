/**
 * A server that has the two original services and nothing else.
 *
 * @module
 */

import { BlobCache } from "../../src/blobs/blob_cache.ts";
import { WorkerBlobStore } from "../../src/blobs/worker_blob_store.ts";
import { systemClock } from "../../src/clock.ts";
import { Engine } from "../../src/engine/engine.ts";
import { MemoryBudget } from "../../src/engine/memory_budget.ts";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { MemoryManifest } from "../../src/manifest/testing/memory_manifest.ts";
import { Edge } from "../../src/rpc/edge.ts";
import { localService } from "../../src/rpc/local_service.ts";
import { remoteService } from "../../src/rpc/remote_service.ts";

const MIB = 1024 * 1024;
const heartbeatIntervalMs = 200;

/** Where it answers. */
export interface OriginalServer {
  readonly local: string;
  readonly remote: string;
  /** Starts it anew: it knows nothing of before, and counts its ids from 1. */
  restart(): Promise<void>;
}

/** Runs a test with such a server. */
export async function withOriginal(
  run: (server: OriginalServer) => Promise<void>,
): Promise<void> {
  let started = await start({ local: "127.0.0.1:0", remote: "127.0.0.1:0" });
  const { local, remote } = started;
  const restart = async () => {
    await started.stop();
    started = await start({ local, remote });
  };
  try {
    await run({ local, remote, restart });
  } finally {
    await started.stop();
  }
}

type Addresses = Pick<OriginalServer, "local" | "remote">;

async function start(
  at: Addresses,
): Promise<Addresses & { stop(): Promise<void> }> {
  await using stack = new AsyncDisposableStack();
  const { path: root } = stack.use(await temporaryFolder());
  const blobs = stack.use(
    await WorkerBlobStore.open({ root, durability: "relaxed", workers: 1 }),
  );
  const budget = new MemoryBudget({ totalBytes: 64 * MIB });
  let lastId = 0;
  const engine = new Engine({
    newId: () => String(++lastId),
    manifest: new MemoryManifest({ wallMs: Date.now }),
    blobs,
    cache: new BlobCache(blobs),
    clock: systemClock,
    budget,
    warn: () => {},
    table: {
      leaseTimeoutMs: 600,
      restartGraceMs: 1_000,
      handleLeaseMs: 60_000,
      maxValueBytes: MIB,
    },
  });
  stack.defer(() => engine.close());
  const { local: files } = blobs;
  const services = {
    local: localService(engine, {
      heartbeatIntervalMs,
      path: (name) => files.path(name),
      stagingPath: (staging) => files.stagingPath(staging),
    }),
    remote: remoteService(engine, { heartbeatIntervalMs }),
  };
  const edge = new Edge({
    warn: () => {},
    maxMessageBytes: 2 * MIB,
    requestBudget: budget,
  });
  const addresses = { local: "", remote: "" };
  for (const kind of ["local", "remote"] as const) {
    const listener = edge.listen(at[kind], [services[kind]]);
    stack.defer(() => listener.close(1_000));
    addresses[kind] = listener.address;
  }
  const running = stack.move();
  return { ...addresses, stop: () => running.disposeAsync() };
}
