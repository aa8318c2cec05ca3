/**
 * The local half of the worker blob store: files that clients write and read
 * themselves.
 *
 * @module
 */

import type {
  Hashed,
  Op,
  OpKind,
  OpOf,
  Results,
} from "../../workers/blob_protocol.ts";
import type { DiskTrouble } from "../disk_trouble.ts";
import type { Digest, Stamp } from "../table/types.ts";
import type { BlobError, CapturedFile, LocalFiles } from "./blob_store.ts";
import type { DurableRenames } from "./durable_renames.ts";
import { stagingPath, valuePath } from "./layout.ts";
import { detachable } from "./transfer.ts";
import type { Series } from "./worker_handle.ts";
import type { JobOptions, WorkerPool } from "./worker_pool.ts";

/** Captures that have been hashed and not installed yet; about 200 bytes each. */
const MAX_HASHED = 100_000;

/** What the two halves of a store share. */
export interface LocalFilesParts {
  /** The workers. */
  readonly pool: WorkerPool;
  /** Makes renames durable. */
  readonly renames: DurableRenames;
  /** Is told of writes that fail. */
  readonly trouble: DiskTrouble<BlobError>;
}

/** A captured file whose bytes have been hashed. */
interface HashedFile {
  readonly stamp: Stamp;
  /** Hashed when it was captured, and copied. */
  readonly isCopy: boolean;
}

/** Values by path. */
export class WorkerLocalFiles implements LocalFiles {
  readonly #root: string;
  readonly #pool: WorkerPool;
  readonly #renames: DurableRenames;
  readonly #trouble: DiskTrouble<BlobError>;
  /**
   * What each capture was when it was hashed, so that the rename can tell that
   * nobody wrote since. One that is missing only costs a verification.
   */
  readonly #hashed = new Map<string, HashedFile>();
  /** Of files that come in pieces: who writes them hashes them, too. */
  readonly #series = new Map<string, Series>();

  /** `root` has no links in it. */
  constructor(root: string, { pool, renames, trouble }: LocalFilesParts) {
    this.#root = root;
    this.#pool = pool;
    this.#renames = renames;
    this.#trouble = trouble;
  }

  /** {@inheritDoc LocalFiles.path} */
  path(name: string): string {
    return valuePath(this.#root, name);
  }

  /** {@inheritDoc LocalFiles.stagingPath} */
  stagingPath(staging: string): string {
    return stagingPath(this.#root, staging);
  }

  /** {@inheritDoc LocalFiles.probe} */
  probe(staging: string): Promise<number | undefined> {
    return this.#again<"probe">({ kind: "probe", staging });
  }

  /** {@inheritDoc LocalFiles.capture} */
  capture(
    staging: string,
    { mostBytes = Infinity, again = false, first = false }: {
      readonly mostBytes?: number;
      readonly again?: boolean;
      readonly first?: boolean;
    } = {},
  ): Promise<CapturedFile> {
    return this.#write(async () => {
      const { hashed, ...file } = await this.#again<"capture">({
        kind: "capture",
        staging,
        mostBytes,
        ...again && { again },
        ...first && { first },
      });
      await this.#renames.syncPrivate();
      return {
        ...file,
        ...hashed && { digest: this.#remember(staging, hashed, true) },
      };
    });
  }

  /** {@inheritDoc LocalFiles.hash} */
  hash(staging: string, size?: number): Promise<Digest> {
    return this.#write(async () => {
      const mostBytes = size ?? Infinity;
      const op = { kind: "hash", staging, mostBytes } as const;
      const hashed = await this.#again<"hash">(op, {
        large: true,
        // Of an upload, which was hashed as it came, nothing is left to do.
        length: size ?? 0,
        series: this.#series.get(staging),
      });
      await this.#renames.syncPrivate();
      return this.#remember(staging, hashed, false);
    });
  }

  /** {@inheritDoc LocalFiles.install} */
  install(staging: string, name: string): Promise<Stamp> {
    const hashed = this.#hashed.get(staging);
    return this.#write(async () => {
      // Whatever fails from here on: the rename may have come about.
      this.#renames.doubt(name);
      const installed = await this.#pool.run<"install">({
        kind: "install",
        staging,
        name,
        ...hashed,
      });
      await this.#renames.settle(name);
      this.#hashed.delete(staging);
      return installed;
    });
  }

  /** {@inheritDoc LocalFiles.doubt} */
  doubt(name: string): void {
    this.#renames.doubt(name);
  }

  /** {@inheritDoc LocalFiles.append} */
  append(staging: string, offset: number, bytes: Uint8Array): Promise<void> {
    const own = detachable(bytes);
    if (offset === 0) this.#series.set(staging, {});
    return this.#write(() =>
      this.#pool.run<"append">(
        { kind: "append", staging, offset, value: own },
        // Of an upload that has begun; the memory budget bounds how many run.
        {
          bytes: own.length,
          transfer: [own.buffer],
          accepted: true,
          series: this.#series.get(staging),
        },
      )
    );
  }

  /** {@inheritDoc LocalFiles.discard} */
  discard(staging: string): Promise<void> {
    this.#hashed.delete(staging);
    const series = this.#series.get(staging);
    this.#series.delete(staging);
    return this.#again<"discard">({ kind: "discard", staging }, { series });
  }

  /** {@inheritDoc LocalFiles.leftovers} */
  leftovers(): Promise<Results["leftovers"]> {
    return this.#again<"leftovers">({ kind: "leftovers" });
  }

  /** {@inheritDoc LocalFiles.sweepPrivate} */
  sweepPrivate(): Promise<void> {
    return this.#pool.sweepPrivate();
  }

  /** Steps that are one to the caller, and of which a failure is the disk's. */
  #write<T>(steps: () => Promise<T>): Promise<T> {
    return this.#trouble.watch(this.#pool.together(steps));
  }

  #remember(
    staging: string,
    { digest, stamp }: Hashed,
    isCopy: boolean,
  ): Digest {
    if (this.#hashed.size >= MAX_HASHED) {
      for (const oldest of this.#hashed.keys()) {
        this.#hashed.delete(oldest);
        break;
      }
    }
    this.#hashed.set(staging, { stamp, isCopy });
    return digest;
  }

  #again<K extends OpKind>(
    op: OpOf<K> & Op,
    options: JobOptions = {},
  ): Promise<Results[K]> {
    return this.#pool.run<K>(op, { ...options, retriable: true });
  }
}
