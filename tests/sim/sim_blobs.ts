/**
 * The blob store of one process on the simulated disk: the store that serves,
 * with workers that are no threads.
 *
 * @module
 */

import {
  BlobError,
  type BlobStore,
  type LocalFiles,
} from "../../src/blobs/blob_store.ts";
import { WorkerBlobStore } from "../../src/blobs/worker_blob_store.ts";
import type { Chance } from "./chance.ts";
import { ROOT, type SimDisk } from "./disk.ts";
import type { Faults } from "./faults.ts";
import type { Observer } from "./observer.ts";
import type { Scheduler } from "./scheduler.ts";
import { SimWorker } from "./sim_worker.ts";

/** What a simulated store works on. */
export interface StoreOptions {
  readonly disk: SimDisk;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly chance: Chance;
  /** The process: the store's events die with it. */
  readonly owner: object;
  /** Is shown what is under way. */
  readonly observer: Observer;
  /** Which boot of the machine it is. */
  readonly boot: number;
  /** The wall clock, which may be wrong. */
  readonly wallMs: () => number;
}

/** How a store is configured. */
export interface BlobFigures {
  readonly durability: "relaxed" | "strict";
  /** Whether the machine says which boot this is. */
  readonly tellsBoot: boolean;
  /** Whether other users of the machine are served. */
  readonly isShared: boolean;
}

/** Calls that one worker which is killed still makes, at most. */
const LAST_CALLS = 15;
/** What most values of a run have. */
const REHEARSED_BYTES = 100;
/** What is no operation of the disk. */
const AT_ONCE = ["close", "path", "stagingPath", "doubt"];

/** Values on the simulated disk. */
export class SimBlobs {
  /** The store, watched. */
  readonly store: BlobStore;
  /** Its local half. */
  readonly local: LocalFiles;
  readonly #options: StoreOptions;
  readonly #workers: SimWorker[] = [];
  /** When each staging file was looked at. */
  readonly #lookedMs = new Map<string, number>();
  /** The last question about each: nobody waits for the answers to others. */
  readonly #asked = new Map<string, object>();

  /** Opens the disk for one process. */
  constructor(options: StoreOptions, figures: BlobFigures) {
    this.#options = options;
    const { disk, scheduler, owner } = options;
    const { ino, dev } = disk.lstat(ROOT);
    const store = new WorkerBlobStore({ root: ROOT, ino: String(ino), dev }, {
      clock: scheduler.clockFor(owner),
      workers: 2,
      durability: figures.durability,
      rehearsedBytes: REHEARSED_BYTES,
      ...figures.tellsBoot && { bootId: `${options.boot}` },
      ...figures.isShared && { shared: [] },
      spawn: () => {
        const worker = new SimWorker({
          ...options,
          fs: disk,
          onHeard: (op) => {
            if (op.kind !== "probe") return;
            this.#lookedMs.set(op.staging, scheduler.nowMs);
          },
          onUnsynced: (path) => options.observer.unsynced(path),
        });
        this.#workers.push(worker);
        return worker;
      },
    });
    const local = this.local = this.#watched<LocalFiles>(store.local);
    this.store = this.#watched<BlobStore>(store, { local });
  }

  /** The process is killed: its workers get a little further. */
  kill(): void {
    const { chance } = this.#options;
    for (const worker of this.#workers) worker.kill(chance.below(LAST_CALLS));
  }

  /** Passes on whatever the interface has, so that it may grow. */
  #watched<T extends object>(inner: T, own: Partial<T> = {}): T {
    return new Proxy(inner, {
      get: (target, method) => {
        const member: unknown = Reflect.get(own, method) ??
          Reflect.get(target, method, target);
        if (typeof member !== "function") return member;
        const kind = String(method);
        return (...args: unknown[]) => {
          const call = () => Reflect.apply(member, target, args);
          return AT_ONCE.includes(kind)
            ? call()
            : this.#call(kind, aboutOf(kind, args), call);
        };
      },
    });
  }

  async #call(
    kind: string,
    about: string,
    call: () => Promise<unknown>,
  ): Promise<unknown> {
    const { faults, observer } = this.#options;
    const operation = { kind, about };
    observer.called(operation);
    if (faults.overloaded()) {
      throw new BlobError("overloaded", "The queue is full");
    }
    observer.began(operation);
    if (kind === "probe") this.#asked.set(about, operation);
    try {
      const result = await call();
      const isAwaited = this.#asked.get(about) === operation;
      if (isAwaited) this.#probed(about, result);
      return result;
    } finally {
      observer.ended(operation);
    }
  }

  /** The worker says how long ago a file changed; since then time has passed. */
  #probed(staging: string, quietMs: unknown): void {
    const lookedMs = this.#lookedMs.get(staging);
    if (typeof quietMs !== "number" || lookedMs === undefined) return;
    this.#options.observer.probed(staging, lookedMs - quietMs);
  }
}

/** The entry's name, or the staging file. */
function aboutOf(kind: string, args: readonly unknown[]): string {
  const about = kind === "install" ? args[1] : args[0];
  return typeof about === "string" ? about : "";
}
