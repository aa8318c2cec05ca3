/**
 * The server's processes, one after the other: the real engine, cache,
 * recovery, evictor and sweeper on simulated stores, put together as
 * `src/serve.ts` does it.
 *
 * @module
 */

import { BlobCache } from "../../src/blobs/blob_cache.ts";
import { Engine } from "../../src/engine/engine.ts";
import { Evictor } from "../../src/engine/evictor.ts";
import { MemoryBudget } from "../../src/engine/memory_budget.ts";
import { recover } from "../../src/engine/recovery.ts";
import { Sweeper } from "../../src/engine/sweeper.ts";
import type { Manifest } from "../../src/manifest/manifest.ts";
import type { Digest, Id, Quota } from "../../src/table/types.ts";
import type { Chance } from "./chance.ts";
import type { Promises } from "./ledger.ts";
import { type BlobFigures, SimBlobs, type StoreOptions } from "./sim_blobs.ts";
import { openManifest } from "./sim_manifest.ts";

/** A run's configuration of the server. */
export interface Figures extends Promises, BlobFigures {
  readonly heartbeatIntervalMs: number;
  readonly cacheBytes: number;
  readonly budgetBytes: number;
  readonly uncountedBytes: number;
  readonly maxResting: number;
  /** Up to this a stream gets the bytes themselves. */
  readonly streamBytes: number;
  readonly drainTimeoutMs: number;
  /** Nothing goes wrong in this run but publishing, and clients try anew. */
  readonly refuses: boolean;
}

/** Told of what the process does by itself. */
export interface ProcessEvents {
  /** Its stores' state is in memory: from now on entries may be evicted. */
  recovered(): void;
  /** It takes requests: the graces begin. */
  serving(): void;
  /** Its evictor wants an entry to go. */
  evicting(name: string): void;
  /** It has been told what became of that. */
  evicted(name: string): void;
}

/** What a process runs on. */
export interface ProcessOptions extends Omit<StoreOptions, "owner" | "wallMs"> {
  readonly figures: Figures;
  readonly newId: () => Id;
  readonly newStaging: () => string;
  readonly events: ProcessEvents;
  /** The process ends by itself: its start failed, or its stop is done. */
  readonly onExit: (process: ServerProcess, why: "failed" | "done") => void;
}

/** A value that lies whole in a private file. */
export interface Received {
  readonly upload: string;
  readonly digest: Digest;
  /** It has been published, or not: the file may go. */
  readonly discard: () => void;
}

/** What the server runs as: `starting` and `stopped` take no requests. */
export type Phase = "starting" | "serving" | "draining" | "stopped";

/** Calls that are under way get up to this to end when the listeners close. */
const LISTENERS_CLOSE_MS = 1_000;

/** One process of the server. */
export class ServerProcess {
  phase: Phase = "starting";
  readonly engine: Engine;
  readonly budget: MemoryBudget;
  readonly #options: ProcessOptions;
  readonly #manifest: Manifest;
  readonly #blobs: SimBlobs;
  readonly #sweeper: Sweeper;
  #evictor: Evictor | undefined;

  /** Starts on what the last process left. */
  constructor(options: ProcessOptions) {
    this.#options = options;
    const { scheduler, figures, newId, newStaging } = options;
    const clock = scheduler.clockFor(this);
    const wallMs = () => scheduler.wallMs();
    const stores = { ...options, owner: this, wallMs };
    const manifest = this.#manifest = openManifest(stores);
    this.#blobs = new SimBlobs(stores, figures);
    const blobs = this.#blobs.store;
    const cache = new BlobCache(blobs, figures.cacheBytes);
    this.budget = new MemoryBudget({
      totalBytes: figures.budgetBytes,
      connectionBytes: figures.budgetBytes / 2,
    });
    const warn = () => {};
    const engine = this.engine = new Engine({
      manifest,
      blobs,
      cache,
      clock,
      budget: this.budget,
      warn,
      newId,
      newStaging,
      table: {
        leaseTimeoutMs: figures.leaseTimeoutMs,
        restartGraceMs: figures.restartGraceMs,
        handleLeaseMs: figures.handleLeaseMs,
        maxValueBytes: figures.maxValueBytes,
        uncountedBytes: figures.uncountedBytes,
        maxResting: figures.maxResting,
        ...figures.maxAssignments < Infinity && {
          maxAssignments: figures.maxAssignments,
        },
        ...figures.maxHandles < Infinity && { maxHandles: figures.maxHandles },
        streamBytes: figures.streamBytes,
        quotas: figures.quotas,
        ...figures.maxComputeMs !== undefined && {
          maxComputeMs: figures.maxComputeMs,
        },
      },
    });
    this.#watchEvictions();
    this.#sweeper = new Sweeper({ engine, manifest, blobs, clock, warn });
    const { handleLeaseMs } = figures;
    const evict = { engine, manifest, blobs, clock, warn, handleLeaseMs };
    const graceEndsMs = wallMs() + figures.restartGraceMs;
    const evictor = new Evictor(evict);
    const recovery = { engine, manifest, blobs, graceEndsMs, warn };
    evictor.look().then(() => recover(recovery)).then(async () => {
      options.events.recovered();
      this.#evictor = evictor;
      await evictor.start();
      if (this.phase !== "starting") return;
      this.phase = "serving";
      options.events.serving();
      this.#sweeper.start();
    }, () => this.#exit("failed"));
  }

  /** Which process: 1 is the first. */
  get number(): number {
    return this.#options.observer.process;
  }

  /** Takes a value in by pieces, as `src/engine/uploads.ts` does it. */
  async receive(value: Uint8Array): Promise<Received> {
    const { local } = this.#blobs;
    const { chance } = this.#options;
    const upload = this.#options.newStaging();
    const discard = () => void local.discard(upload).catch(() => {});
    const half = value.length >> 1;
    try {
      const first = local.append(upload, 0, value.subarray(0, half));
      // The next one may come while one is written.
      if (chance.happens(0.5)) await first;
      await Promise.all([
        first,
        local.append(upload, half, value.subarray(half)),
      ]);
      return { upload, digest: await local.hash(upload), discard };
    } catch (error) {
      discard();
      throw error;
    }
  }

  /** Sends it SIGTERM. */
  stop(): void {
    if (this.phase !== "serving") return;
    this.phase = "draining";
    this.#drain().then(() => this.#exit("done"));
  }

  /** Sends it SIGKILL. */
  kill(): void {
    const { scheduler } = this.#options;
    this.phase = "stopped";
    this.#blobs.kill();
    scheduler.dropOwned(this);
  }

  /** As `serve` takes its stack apart. */
  async #drain(): Promise<void> {
    const { scheduler, figures, chance } = this.#options;
    await this.engine.drain(figures.drainTimeoutMs);
    await this.#sweeper.close();
    this.phase = "stopped";
    const clock = scheduler.clockFor(this);
    await new Promise<void>((resolve) =>
      clock.setTimer(chance.pick([0, LISTENERS_CLOSE_MS]), resolve)
    );
    await this.#evictor?.close();
    await this.engine.close();
    await this.#blobs.store.close();
    await this.#manifest.close();
  }

  /** Of all that the server asks its engine itself, only this is to be seen. */
  #watchEvictions(): void {
    const { engine } = this;
    const { events } = this.#options;
    const evict = engine.evict.bind(engine);
    engine.evict = (entry, onReply) => {
      events.evicting(entry.name);
      evict(entry, (reply) => {
        events.evicted(entry.name);
        onReply(reply);
      });
    };
  }

  #exit(why: "failed" | "done"): void {
    this.kill();
    this.#options.onExit(this, why);
  }
}

/** Figures that make something of everything happen within a short run. */
export function someFigures(chance: Chance): Figures {
  // Where little is given out, little happens.
  const most = chance.happens(0.05) ? 2 : Infinity;
  return {
    heartbeatIntervalMs: 2_000,
    leaseTimeoutMs: 4_000,
    restartGraceMs: chance.pick([4_000, 10_000, 60_000]),
    handleLeaseMs: chance.pick([5_000, 60_000]),
    maxValueBytes: 300,
    cacheBytes: chance.pick([0, 4_096, 65_536]),
    // A reply of any size is counted with 16 KiB for its call.
    budgetBytes: chance.pick([20, 40, 1_024]) * 1_024,
    uncountedBytes: chance.pick([0, 80]),
    maxResting: chance.pick([0, 1, 100]),
    maxAssignments: most,
    maxHandles: most,
    streamBytes: chance.pick([50, 200]),
    drainTimeoutMs: 10_000,
    refuses: chance.happens(0.2),
    durability: chance.pick(["relaxed", "strict"]),
    tellsBoot: chance.happens(0.7),
    isShared: chance.happens(0.4),
    maxComputeMs: chance.pick([undefined, undefined, 5_000, 20_000]),
    quotas: chance.happens(0.5) ? [] : someQuotas(chance),
  };
}

/** Limits that a run's few values reach, over all of them and over one namespace. */
function someQuotas(chance: Chance): Quota[] {
  const maxBytes = chance.pick([250, 500, 900]);
  const maxEntries = chance.pick([1, 2, 3]);
  const whole = {
    pattern: "*",
    ...chance.happens(0.7) && { maxBytes },
    ...chance.happens(0.5) && { maxEntries },
  };
  if (chance.happens(0.5)) return [whole];
  const pattern = chance.pick(["a", "b.*"]);
  return [whole, { pattern, maxBytes: chance.pick([130, 400]) }];
}
