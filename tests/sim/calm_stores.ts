/**
 * The simulated manifest in a world in which nothing goes wrong, for the contract
 * suite that every manifest has to pass.
 *
 * @module
 */

import type { OpenedForTest } from "../../src/manifest/testing/manifest_contract.ts";
import { Chance } from "./chance.ts";
import { SimDisk } from "./disk.ts";
import { Faults } from "./faults.ts";
import { flush, Scheduler } from "./scheduler.ts";
import { openManifest } from "./sim_manifest.ts";

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

function calm(wallMs: () => number) {
  const chance = new Chance(1);
  const scheduler = new Scheduler(chance, 0);
  const faults = new Faults(chance, false);
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
    unsynced: ignore,
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
  return {
    chance,
    scheduler,
    faults,
    disk,
    observer,
    owner: {},
    boot: 1,
    wallMs,
    stop,
  };
}
