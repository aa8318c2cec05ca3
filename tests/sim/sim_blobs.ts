/**
 * The blob store on the simulated disk: each step of each operation is an
 * event of its own, and the answer another.
 *
 * @module
 */

import {
  BlobError,
  type BlobStore,
  type LocalFiles,
  type Measured,
  type Range,
  type Stored,
} from "../../src/blobs/blob_store.ts";
import { stagingPath, valuePath } from "../../src/blobs/layout.ts";
import type { Digest, Stamp } from "../../src/table/types.ts";
import * as steps from "./blob_steps.ts";
import type { SimDisk } from "./disk.ts";
import type { Faults } from "./faults.ts";
import type { Observer } from "./observer.ts";
import type { Scheduler } from "./scheduler.ts";

/** What a simulated store works on. */
export interface StoreOptions {
  readonly disk: SimDisk;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  /** The process: the store's events die with it. */
  readonly owner: object;
  /** Is shown what is under way. */
  readonly observer: Observer;
  /** The wall clock, which may be wrong. */
  readonly wallMs: () => number;
}

/** Like the worker pool's: what kills two workers is not tried a third time. */
const MAX_DEATHS = 2;

interface Operation {
  readonly kind: string;
  /** The entry or the staging file it is about. */
  readonly about: string;
  /** Begins it, anew where a worker died over it and it may be run twice. */
  readonly begin: () => steps.Steps<unknown>;
  readonly again: boolean;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: BlobError) => void;
  running: steps.Steps<unknown>;
  deaths: number;
}

/** Values on the simulated disk. */
export class SimBlobs implements BlobStore {
  readonly local: LocalFiles;
  readonly #options: StoreOptions;
  readonly #operations = new Set<Operation>();
  /** Temporary files of operations that are alive. */
  readonly #writing = new Set<string>();
  readonly #stamps = new Map<string, Stamp>();
  /** The last append to each file: the next one waits for it. */
  readonly #appending = new Map<string, Promise<void>>();
  #temporaries = 0;
  #closed = false;
  readonly #idle = Promise.withResolvers<void>();

  /** Opens the disk for one process. */
  constructor(options: StoreOptions) {
    this.#options = options;
    this.local = this.#localFiles();
  }

  put(name: string, value: Uint8Array): Promise<Stored> {
    const owned = value.slice();
    return this.#run(
      "put",
      name,
      (temporary) => steps.put(this.#disk, { name, value: owned, temporary }),
      false,
    );
  }

  read(name: string, digest: Digest): Promise<Uint8Array> {
    return this.#run("read", name, () => steps.read(this.#disk, name, digest));
  }

  readRange(name: string, range: Range, stamp: Stamp): Promise<Uint8Array> {
    return this.#run(
      "read-range",
      name,
      () => steps.readRange(this.#disk, { name, range, stamp }),
    );
  }

  verify(name: string, digest?: Digest, stamp?: Stamp): Promise<Stored> {
    const known = { ...digest && { digest }, ...stamp && { stamp } };
    return this.#run(
      "verify",
      name,
      () => steps.verify(this.#disk, name, known),
    );
  }

  remove(name: string): Promise<void> {
    return this.#run("remove", name, () => steps.remove(this.#disk, name));
  }

  quarantine(name: string): Promise<void> {
    return this.#run("quarantine", name, () => steps.remove(this.#disk, name));
  }

  measure(name: string): Promise<Measured | undefined> {
    return this.#run("measure", name, () => steps.measure(this.#disk, name));
  }

  space(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  namespaces(): Promise<readonly string[]> {
    return this.#run("namespaces", "", () => steps.namespaces(this.#disk));
  }

  list(namespace: string): Promise<readonly string[]> {
    return this.#run("list", "", () => steps.list(this.#disk, namespace));
  }

  sweep(name: string, minAgeMs: number): Promise<boolean> {
    const { wallMs } = this.#options;
    return this.#run(
      "sweep",
      name,
      () => steps.sweep(this.#disk, { name, minAgeMs, wallMs }),
    );
  }

  close(): Promise<void> {
    this.#closed = true;
    if (this.#operations.size === 0) return Promise.resolve();
    return this.#idle.promise;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The process is killed: what is under way gets as far as `further` says. */
  kill(further: () => number): void {
    for (const { running } of this.#operations) {
      try {
        for (let left = further(); left > 0; left--) running.next();
      } catch {
        // It failed, and nobody hears of it.
      }
    }
    this.#operations.clear();
  }

  get #disk(): SimDisk {
    return this.#options.disk;
  }

  #localFiles(): LocalFiles {
    const disk = this.#disk;
    const { wallMs } = this.#options;
    const remember = (staging: string, hashed: steps.Hashed) => {
      this.#stamps.set(staging, hashed.stamp);
      return hashed.digest;
    };
    return {
      path: (name) => valuePath("/sim", name),
      stagingPath: (staging) => stagingPath("/sim", staging),
      probe: async (staging) => {
        const { scheduler, observer } = this.#options;
        let lookedMs = 0;
        const look = () => {
          lookedMs = scheduler.nowMs;
          return wallMs();
        };
        const quietMs = await this.#run(
          "probe",
          staging,
          () => steps.probe(disk, staging, look),
        );
        if (quietMs !== undefined) observer.probed(staging, lookedMs - quietMs);
        return quietMs;
      },
      capture: async (staging) => {
        const hashed = await this.#run(
          "capture",
          staging,
          (temporary) => steps.capture(disk, staging, temporary),
        );
        return hashed && remember(staging, hashed);
      },
      hash: async (staging) =>
        remember(
          staging,
          await this.#run("hash", staging, (temporary) =>
            steps.hash(disk, staging, temporary)),
        ),
      install: async (staging, name) => {
        const stamp = this.#stamps.get(staging);
        const installed = await this.#run(
          "install",
          name,
          () => steps.install(disk, { staging, name, stamp }),
          false,
        );
        this.#stamps.delete(staging);
        return installed;
      },
      append: (staging, offset, bytes) => {
        const value = bytes.slice();
        const append = () =>
          this.#run(
            "append",
            staging,
            () => steps.append(disk, { staging, offset, value }),
            false,
          );
        const appending = this.#appending.get(staging)?.then(append, append) ??
          append();
        this.#appending.set(staging, appending);
        return appending.finally(() => {
          if (this.#appending.get(staging) !== appending) return;
          this.#appending.delete(staging);
        });
      },
      discard: (staging) => {
        this.#stamps.delete(staging);
        return this.#run(
          "discard",
          staging,
          () => steps.discard(disk, staging),
        );
      },
      leftovers: () => this.#run("leftovers", "", () => steps.leftovers(disk)),
      sweepPrivate: () =>
        this.#run(
          "sweepPrivate",
          "",
          () => steps.sweepPrivate(disk, this.#writing),
        ),
    };
  }

  #run<T>(
    kind: string,
    about: string,
    begin: (temporary: string) => steps.Steps<T>,
    again = true,
  ): Promise<T> {
    const { faults, observer } = this.#options;
    observer.called({ kind, about });
    if (this.#closed) {
      return Promise.reject(new BlobError("failed", "The store is closed"));
    }
    if (faults.overloaded()) {
      return Promise.reject(new BlobError("overloaded", "The queue is full"));
    }
    return new Promise((resolve, reject) => {
      let temporary = "";
      const beginAnew = () => {
        this.#writing.delete(temporary);
        temporary = `${observer.process}-${++this.#temporaries}`;
        this.#writing.add(temporary);
        return begin(temporary);
      };
      const operation: Operation = {
        kind,
        about,
        again,
        deaths: 0,
        begin: beginAnew,
        running: beginAnew(),
        resolve: (value) => resolve(value as T),
        reject,
      };
      const settled = () => void this.#writing.delete(temporary);
      this.#operations.add(operation);
      observer.began(operation);
      this.#schedule(operation, settled);
    });
  }

  #schedule(operation: Operation, settled: () => void): void {
    const { scheduler, owner } = this.#options;
    const label = `blobs ${operation.kind} ${operation.about}`;
    const run = () => this.#step(operation, settled);
    scheduler.add({ label, owner, run });
  }

  #step(operation: Operation, settled: () => void): void {
    const { faults, scheduler } = this.#options;
    const fault = faults.blob();
    if (fault !== "none") scheduler.note(`  ${fault}`);
    try {
      if (fault === "death") return this.#die(operation, settled);
      const next = fault === "none"
        ? operation.running.next()
        : operation.running.throw(new BlobError(fault, "A step failed"));
      if (!next.done) return this.#schedule(operation, settled);
      const { value } = next;
      this.#answer(operation, settled, () => operation.resolve(value));
    } catch (error) {
      if (!(error instanceof BlobError)) throw error;
      this.#answer(operation, settled, () => operation.reject(error));
    }
  }

  /** The worker is gone, and with it the operation; its files stay. */
  #die(operation: Operation, settled: () => void): void {
    if (operation.again && ++operation.deaths < MAX_DEATHS) {
      operation.running = operation.begin();
      return this.#schedule(operation, settled);
    }
    const error = new BlobError("failed", "The worker died");
    this.#answer(operation, settled, () => operation.reject(error));
    if (operation.kind !== "sweepPrivate" && !this.#closed) {
      settled();
      this.local.sweepPrivate().catch(() => {});
    }
  }

  #answer(operation: Operation, settled: () => void, tell: () => void): void {
    const { scheduler, owner, observer } = this.#options;
    const label = `blobs ${operation.kind} ${operation.about} answers`;
    const run = () => {
      settled();
      this.#operations.delete(operation);
      observer.ended(operation);
      tell();
      const isLast = this.#closed && this.#operations.size === 0;
      if (isLast) this.#idle.resolve();
    };
    scheduler.add({ label, owner, run });
  }
}
