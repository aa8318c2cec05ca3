/**
 * A fresh root with a worker blob store, for tests.
 *
 * @module
 */

import type { BlobStoreHarness } from "./blob_store_contract.ts";
import {
  spawnWorker,
  WorkerBlobStore,
  type WorkerBlobStoreOptions,
} from "../worker_blob_store.ts";

/** A store on a folder of its own, which goes with it. */
export interface TestRoot extends BlobStoreHarness {
  /** The folder. */
  readonly root: string;
  readonly store: WorkerBlobStore;
  /** Every worker that was started so far. */
  readonly workers: readonly Worker[];
}

/** Opens a store on a fresh folder, or on `options.root`, which then stays. */
export async function openTestRoot(
  options: Partial<WorkerBlobStoreOptions> = {},
): Promise<TestRoot> {
  const root = options.root ??
    await Deno.realPath(await Deno.makeTempDir({ prefix: "larder-blobs-" }));
  const workers: Worker[] = [];
  const store = await WorkerBlobStore.open({
    root,
    spawn(root) {
      const worker = spawnWorker(root);
      workers.push(worker);
      return worker;
    },
    ...options,
  });
  return {
    root,
    store,
    workers,
    stage(staging, bytes) {
      const path = store.local.stagingPath(staging);
      if (bytes) Deno.writeFileSync(path, bytes);
      else Deno.mkdirSync(`${path}/inner`, { recursive: true });
    },
    tamper(name, change) {
      const path = store.local.path(name);
      Deno.chmodSync(path, 0o644);
      Deno.writeFileSync(path, change(Deno.readFileSync(path)));
    },
    async [Symbol.asyncDispose]() {
      await store.close();
      if (!options.root) await Deno.remove(root, { recursive: true });
    },
  };
}
