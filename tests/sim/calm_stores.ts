/**
 * The simulated stores in a world in which nothing goes wrong, for the contract
 * suites that every store has to pass.
 *
 * @module
 */

import type { BlobStoreHarness } from "../../src/blobs/testing/blob_store_contract.ts";
import type { OpenedForTest } from "../../src/manifest/testing/manifest_contract.ts";
import { Chance } from "./chance.ts";
import { SimDisk } from "./disk.ts";
import { Faults } from "./faults.ts";
import { flush, Scheduler } from "./scheduler.ts";
import { SimBlobs } from "./sim_blobs.ts";
import { openManifest } from "./sim_manifest.ts";

/** An empty blob store whose events happen by themselves. */
export function openCalmStore(): Promise<BlobStoreHarness> {
  const { stop, ...options } = calm();
  const { disk } = options;
  const store = new SimBlobs(options);
  return Promise.resolve({
    store,
    stage: (staging, bytes) =>
      void disk.staged.set(staging, disk.create(bytes?.slice())),
    tamper: (name, change) => {
      const file = disk.values.get(name);
      if (file?.bytes) {
        disk.values.set(name, disk.create(change(file.bytes.slice())));
      }
    },
    [Symbol.asyncDispose]: async () => {
      await store.close();
      stop();
    },
  });
}

/** An empty manifest whose events happen by themselves. */
export function openCalmManifest(
  wallMs: () => number,
): Promise<OpenedForTest> {
  const { stop, ...options } = calm(wallMs);
  return Promise.resolve({
    manifest: openManifest(options),
    reopen: () => Promise.resolve(openManifest(options)),
    discard: stop,
  });
}

function calm(wallMs: () => number = Date.now) {
  const chance = new Chance(1);
  const scheduler = new Scheduler(chance, 0);
  const faults = new Faults(chance);
  faults.stop();
  const disk = new SimDisk(wallMs);
  const open = new AbortController();
  const ignore = () => {};
  const observer = {
    process: 1,
    called: ignore,
    began: ignore,
    ended: ignore,
    changed: ignore,
    probed: ignore,
  };
  const run = async () => {
    while (!open.signal.aborted) {
      scheduler.step();
      await flush();
    }
  };
  run();
  const stop = () => open.abort();
  return { chance, scheduler, faults, disk, observer, owner: {}, wallMs, stop };
}
