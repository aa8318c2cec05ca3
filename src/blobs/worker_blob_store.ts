/**
 * The blob store on a folder, by a pool of workers.
 *
 * @module
 */

import type { Op, OpKind, OpOf, Results } from "../../workers/blob_protocol.ts";
import type { GroupNumber } from "../../workers/shared_modes.ts";
import { type Clock, systemClock } from "../clock.ts";
import { DiskTrouble } from "../disk_trouble.ts";
import { MAX_WORKERS } from "../limits.ts";
import type { Digest, Stamp } from "../table/types.ts";
import {
  BlobError,
  type BlobStore,
  isDiskTrouble,
  type Measured,
  type Range,
  type Space,
  type Stored,
} from "./blob_store.ts";
import { DurableRenames } from "./durable_renames.ts";
import type { SpareBuffers } from "./spare_buffers.ts";
import { WorkerLocalFiles } from "./worker_local_files.ts";
import { detachable } from "./transfer.ts";
import type { WorkerPort } from "./worker_handle.ts";
import { type JobOptions, WorkerPool } from "./worker_pool.ts";

/** What the worker does in slices, the pool gives out a few at a time. */
const LARGE_BYTES = 1024 * 1024;
/** More than this, unless asked for, costs memory and gains nothing. */
const MAX_DEFAULT_WORKERS = 8;
/** What a rehearsal writes: as much as nearly all values have. */
const REHEARSED_BYTES = 1024 * 1024;

/** What {@linkcode WorkerBlobStore.open} takes. */
export interface WorkerBlobStoreOptions {
  /** An existing folder; it is opened where its links lead. */
  readonly root: string;
  /** At most so many workers; by default one a core, at least two. */
  readonly workers?: number;
  /** `strict`: what was acknowledged is on the disk. Default: `relaxed`. */
  readonly durability?: "relaxed" | "strict";
  /**
   * Of this boot of the machine, 32 hexadecimal digits: what is in memory in one
   * boot is lost in the next. Without it captures are synced in relaxed mode, too.
   */
  readonly bootId?: string;
  /** The groups of namespaces, where other users are served; absent: they are not. */
  readonly shared?: readonly GroupNumber[];
  /** Bounds; the defaults are those of limits.ts. */
  readonly maxQueue?: number;
  readonly maxQueueBytes?: number;
  /** Gets the buffers of what was written; absent: they are freed. */
  readonly spare?: SpareBuffers;
  /** Is told how long each operation took. */
  readonly onTook?: ((kind: string, ms: number) => void) | undefined;
  /** Starts a worker with access to `root`; tests put theirs in between. */
  readonly spawn?: (root: string) => WorkerPort;
  /** Pauses and waits are by this one. */
  readonly clock?: Clock;
  /** What is written to find out whether the disk takes values again. */
  readonly rehearsedBytes?: number;
}

/** A folder, and what tells it from another one at its path. */
export interface OpenedFolder {
  /** Absolute, without symbolic links. */
  readonly root: string;
  /** Its inode. */
  readonly ino: string;
  /** Its disk. */
  readonly dev: number;
}

/** Figures for metrics and tests. */
export interface BlobStoreStats {
  /** Looks at a value that found other bytes than those that were published. */
  readonly damaged: number;
  /** Values that were moved out of the way because of that. */
  readonly quarantined: number;
}

/** Values in files, local files included. */
export class WorkerBlobStore implements BlobStore {
  /** Files handed out to clients on this machine. */
  readonly local: WorkerLocalFiles;
  readonly #pool: WorkerPool;
  readonly #renames: DurableRenames;
  readonly #trouble: DiskTrouble<BlobError>;
  readonly #stats = { damaged: 0, quarantined: 0 };

  /** Works on a folder that exists; `open` looks whether it does. */
  constructor(
    { root, ino, dev }: OpenedFolder,
    options: Omit<WorkerBlobStoreOptions, "root"> = {},
  ) {
    const strict = options.durability === "strict";
    const { spare, bootId, shared, maxQueue, maxQueueBytes } = options;
    const { spawn = spawnWorker } = options;
    const { clock = systemClock, rehearsedBytes: bytes = REHEARSED_BYTES } =
      options;
    const pool = this.#pool = new WorkerPool({
      size: Math.min(MAX_WORKERS, options.workers ?? defaultWorkers()),
      spawn: () => spawn(root),
      clock,
      onTook: options.onTook,
      onSpent: (buffer) => spare ? spare.give(buffer) : void buffer.transfer(0),
      config: {
        root,
        ino,
        strict,
        // A disk that is mounted again, or a copy of it, has another number.
        memory: bootId === undefined ? crypto.randomUUID() : `${bootId}.${dev}`,
        keepCaptures: strict || bootId === undefined,
        ...shared && { shared },
      },
      ...maxQueue !== undefined && { maxQueue },
      ...maxQueueBytes !== undefined && { maxQueueBytes },
    });
    const renames = this.#renames = new DurableRenames(
      strict
        ? (folder) =>
          this.#again<"sync">({ kind: "sync", folder }, { accepted: true })
        : undefined,
    );
    const trouble = this.#trouble = new DiskTrouble<BlobError>({
      rehearse: () =>
        this.#again<"rehearse">({ kind: "rehearse", bytes }, { large: true }),
      isTrouble: isDiskTrouble,
      clock,
    });
    this.local = new WorkerLocalFiles(root, { pool, renames, trouble });
  }

  /** Makes the store's folders where they are missing, and checks them. */
  static async open(
    { root, ...options }: WorkerBlobStoreOptions,
  ): Promise<WorkerBlobStore> {
    const store = new WorkerBlobStore(await realFolder(root), options);
    try {
      // Something cheap, which is answered once a worker has opened the root.
      await store.local.probe("-");
    } catch (error) {
      await store.close();
      throw error;
    }
    return store;
  }

  /** {@inheritDoc BlobStore.put} */
  async put(name: string, value: Uint8Array): Promise<Stored> {
    // Asked before the bytes are consumed: a refused caller keeps them.
    const refusal = this.#pool.refusal(value.length);
    if (refusal) throw refusal;
    const own = detachable(value);
    const putting = () =>
      this.#pool.run<"put">({ kind: "put", name, value: own }, {
        bytes: own.length,
        large: own.length > LARGE_BYTES,
        transfer: [own.buffer],
      });
    return await this.#trouble.watch(
      this.#renames.areDurable
        ? this.#pool.together(async () => {
          const stored = await putting();
          await this.#renames.settle(name);
          return stored;
        })
        : putting(),
    );
  }

  /** {@inheritDoc BlobStore.read} */
  read(name: string, digest: Digest): Promise<Uint8Array> {
    const reading = this.#again<"read">({ kind: "read", name, digest }, {
      bytes: digest.size,
      large: digest.size > LARGE_BYTES,
    });
    return this.#counted(reading);
  }

  /** {@inheritDoc BlobStore.readRange} */
  readRange(name: string, range: Range, stamp: Stamp): Promise<Uint8Array> {
    const { offset, length } = range;
    const reading = this.#again<"read-range">(
      { kind: "read-range", name, offset, length, stamp },
      { bytes: length, large: length > LARGE_BYTES },
    );
    return this.#counted(reading);
  }

  /** {@inheritDoc BlobStore.verify} */
  verify(name: string, digest?: Digest, stamp?: Stamp): Promise<Stored> {
    return this.#pool.together(() => this.#verify(name, digest, stamp));
  }

  async #verify(name: string, digest?: Digest, stamp?: Stamp): Promise<Stored> {
    const sync = this.#renames.isDoubtful(name);
    const verifying = this.#again<"verify">({
      kind: "verify",
      name,
      ...digest && { digest },
      ...stamp && !sync && { stamp },
      ...sync && { sync },
    }, {
      large: (sync || !stamp) && (digest?.size ?? Infinity) > LARGE_BYTES,
    });
    const verified = await this.#counted(verifying);
    if (sync) await this.#renames.settle(name);
    return verified;
  }

  /** {@inheritDoc BlobStore.remove} */
  remove(name: string): Promise<void> {
    this.#renames.forget(name);
    return this.#again<"remove">({ kind: "remove", name });
  }

  /** {@inheritDoc BlobStore.quarantine} */
  async quarantine(name: string): Promise<void> {
    await this.#again<"quarantine">({ kind: "quarantine", name });
    this.#renames.forget(name);
    this.#stats.quarantined += 1;
  }

  /** {@inheritDoc BlobStore.trouble} */
  get trouble(): BlobError | undefined {
    return this.#trouble.current;
  }

  /** What went wrong so far. */
  get stats(): BlobStoreStats {
    return { ...this.#stats };
  }

  /** Operations that wait for a worker, or that one does; what they hold. */
  get underWay(): { readonly operations: number; readonly bytes: number } {
    return this.#pool.underWay;
  }

  /** {@inheritDoc BlobStore.measure} */
  measure(name: string): Promise<Measured | undefined> {
    return this.#again<"measure">({ kind: "measure", name });
  }

  /** {@inheritDoc BlobStore.space} */
  space(): Promise<Space> {
    // A root that has vanished is noticed here, before anybody has to write.
    return this.#trouble.watch(this.#again<"space">({ kind: "space" }));
  }

  /** {@inheritDoc BlobStore.namespaces} */
  namespaces(): Promise<readonly string[]> {
    return this.#again<"namespaces">({ kind: "namespaces" });
  }

  /** {@inheritDoc BlobStore.list} */
  async list(namespace: string): Promise<readonly string[]> {
    const packed = await this.#again<"list">({ kind: "list", namespace }, {
      large: true,
    });
    return packed.match(/.{64}/g) ?? [];
  }

  /** {@inheritDoc BlobStore.removeEmpty} */
  removeEmpty(
    namespace: string,
    { ours = false }: { readonly ours?: boolean } = {},
  ): Promise<boolean> {
    return this.#again<"remove-empty">({
      kind: "remove-empty",
      namespace,
      ours,
    });
  }

  /** {@inheritDoc BlobStore.sweep} */
  sweep(name: string, minAgeMs: number): Promise<boolean> {
    return this.#again<"sweep">({ kind: "sweep", name, minAgeMs });
  }

  /** {@inheritDoc BlobStore.close} */
  close(): Promise<void> {
    this.#trouble.close();
    return this.#pool.close();
  }

  /** Closes the store. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #counted<T>(looking: Promise<T>): Promise<T> {
    try {
      return await looking;
    } catch (error) {
      if (error instanceof BlobError && error.code === "damaged") {
        this.#stats.damaged += 1;
      }
      throw error;
    }
  }

  /** Runs what may be run twice. */
  #again<K extends OpKind>(
    op: OpOf<K> & Op,
    options: JobOptions = {},
  ): Promise<Results[K]> {
    return this.#pool.run<K>(op, { ...options, retriable: true });
  }
}

/** How many workers there are at most, unless configured. */
export function defaultWorkers(): number {
  const cores = navigator.hardwareConcurrency;
  return Math.max(2, Math.min(MAX_DEFAULT_WORKERS, cores));
}

/** What a blob worker may do: read and write the root, and nothing else. */
export function workerPermissions(root: string): Deno.PermissionOptionsObject {
  return {
    read: [root],
    write: [root],
    net: false,
    env: false,
    sys: ["statfs"],
    run: false,
    ffi: false,
    import: false,
  };
}

/** Starts a blob worker for a root. */
export function spawnWorker(root: string): Worker {
  const script = new URL("../../workers/blob_worker.ts", import.meta.url);
  const permissions = workerPermissions(root);
  return new Worker(script, {
    type: "module",
    name: "blob",
    deno: { permissions },
  });
}

async function realFolder(root: string): Promise<OpenedFolder> {
  try {
    const real = await Deno.realPath(root);
    const { ino, dev } = await Deno.lstat(real);
    return { root: real, ino: String(ino), dev };
  } catch (cause) {
    throw new BlobError("failed", `Cannot open the root '${root}'`, { cause });
  }
}
