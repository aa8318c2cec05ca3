/**
 * The manifest in `cache.sqlite`: operations become messages for the worker
 * that has the database open, its outcomes become rows.
 *
 * @module
 */

import {
  type Durability,
  type FoundRow,
  type Outcome,
  type PageOf,
  type RowState,
  STATUS,
} from "../../workers/manifest_protocol.ts";
import type { Assignment, Digest, EntryKey, Id, Row } from "../table/types.ts";
import { BatchQueue, type BatchStats } from "./batch_queue.ts";
import type { Expected, Manifest, Page } from "./manifest.ts";
import {
  type SpawnManifestWorker,
  spawnManifestWorker,
} from "./worker_session.ts";

/** SQLite's integers are signed: what a client sends above this names nothing. */
const MAX_ID = 2n ** 63n - 1n;

/** What {@linkcode SqliteManifest.open} needs. */
export interface SqliteManifestOptions {
  /** The folder that is served, absolute and without symlinks in its path. */
  readonly root: string;
  /**
   * `relaxed` (default): what was acknowledged survives a killed process;
   * `strict`: a power cut too.
   */
  readonly durability?: Durability;
  /** The wall clock; see `Clock.wallMs`. */
  readonly wallMs: () => number;
  /** Makes the worker; tests put themselves in between. */
  readonly spawn?: SpawnManifestWorker;
}

/** A {@linkcode Manifest} in SQLite, in a worker of its own. */
export class SqliteManifest implements Manifest {
  /** {@inheritDoc Manifest.servedBefore} */
  readonly servedBefore: boolean;
  readonly #queue: BatchQueue;
  readonly #wallMs: () => number;

  private constructor(queue: BatchQueue, wallMs: () => number) {
    this.#queue = queue;
    // The columns are integers, and cursors are made of them.
    this.#wallMs = () => Math.floor(wallMs());
    this.servedBefore = queue.servedBefore;
  }

  /**
   * Opens the manifest of a root, makes or migrates it.
   *
   * @returns The manifest; rejects with a `StartError` when the file is
   * damaged, a newer server's, or not a file of ours.
   */
  static async open(options: SqliteManifestOptions): Promise<SqliteManifest> {
    const { root, durability = "relaxed", wallMs } = options;
    const spawn = options.spawn ?? spawnManifestWorker;
    const queue = await BatchQueue.open({ root, durability, wallMs, spawn });
    return new SqliteManifest(queue, wallMs);
  }

  /** How many messages carried how many operations. */
  get stats(): BatchStats {
    return this.#queue.stats;
  }

  /** {@inheritDoc Manifest.find} */
  async find(entry: EntryKey): Promise<Row | undefined> {
    const { namespace, key } = entry;
    const outcome = await this.#queue.call(
      ["find", namespace, key.length],
      key,
    );
    return maybeRow(entry, outcome);
  }

  /** {@inheritDoc Manifest.findId} */
  async findId(id: Id): Promise<Row | undefined> {
    if (BigInt(id) > MAX_ID) return undefined;
    const found = await this.#queue.call(["findId", id]) as FoundRow | null;
    return found ? rowOfFound(found) : undefined;
  }

  /** {@inheritDoc Manifest.claim} */
  async claim(
    entry: EntryKey,
    assignment: Assignment,
  ): Promise<Row | undefined> {
    const { namespace, key } = entry;
    const { id, staging = null } = assignment;
    const outcome = await this.#queue.call(
      ["claim", namespace, key.length, id, staging, this.#wallMs()],
      key,
    );
    return outcome === true ? undefined : maybeRow(entry, outcome);
  }

  /** {@inheritDoc Manifest.reassign} */
  async reassign(
    entry: EntryKey,
    expected: Expected,
    assignment: Assignment,
  ): Promise<true | Row | undefined> {
    const { namespace, key } = entry;
    const { id, staging = null } = assignment;
    const outcome = await this.#queue.call(
      [
        "reassign",
        namespace,
        key.length,
        STATUS[expected.status],
        expected.id ?? null,
        id,
        staging,
        this.#wallMs(),
      ],
      key,
    );
    return outcome === true ? true : maybeRow(entry, outcome);
  }

  /** {@inheritDoc Manifest.record} */
  record(entry: EntryKey, id: Id, digest: Digest): Promise<boolean> {
    const { namespace, key } = entry;
    const { size, sha256 } = digest;
    return this.#queue.call(
      ["record", namespace, key.length, id, size, sha256],
      key,
    ) as Promise<boolean>;
  }

  /** {@inheritDoc Manifest.publish} */
  publish(entry: EntryKey, id: Id, digest: Digest): Promise<boolean> {
    return this.#makeReady("publish", entry, id, digest);
  }

  /** {@inheritDoc Manifest.complete} */
  complete(entry: EntryKey, id: Id, digest: Digest): Promise<boolean> {
    return this.#makeReady("complete", entry, id, digest);
  }

  #makeReady(
    operation: "publish" | "complete",
    { namespace, key }: EntryKey,
    id: Id,
    { size, sha256 }: Digest,
  ): Promise<boolean> {
    return this.#queue.call(
      [operation, namespace, key.length, id, size, sha256, this.#wallMs()],
      key,
    ) as Promise<boolean>;
  }

  /** {@inheritDoc Manifest.evict} */
  evict(entry: EntryKey, id: Id | undefined): Promise<boolean> {
    const { namespace, key } = entry;
    return this.#queue.call(
      ["evict", namespace, key.length, id ?? null, this.#wallMs()],
      key,
    ) as Promise<boolean>;
  }

  /** {@inheritDoc Manifest.remove} */
  remove(entry: EntryKey, expected: Expected): Promise<boolean> {
    const { namespace, key } = entry;
    const { status, id = null } = expected;
    return this.#queue.call(
      ["remove", namespace, key.length, STATUS[status], id],
      key,
    ) as Promise<boolean>;
  }

  /** {@inheritDoc Manifest.unsettled} */
  async unsettled(cursor?: string): Promise<Page<Row>> {
    return rowPage(await this.#queue.call(["unsettled", cursor ?? null]));
  }

  /** {@inheritDoc Manifest.stale} */
  async stale(beforeWallMs: number, cursor?: string): Promise<Page<Row>> {
    return rowPage(
      await this.#queue.call(["stale", beforeWallMs, cursor ?? null]),
    );
  }

  /** {@inheritDoc Manifest.names} */
  async names(namespace: string, cursor?: string): Promise<Page<string>> {
    const outcome = await this.#queue.call(
      ["names", namespace, cursor ?? null],
    ) as PageOf<string>;
    return page(outcome.items, outcome.cursor);
  }

  /** {@inheritDoc Manifest.close} */
  close(): Promise<void> {
    return this.#queue.close();
  }

  /** {@inheritDoc Manifest.close} */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function maybeRow(entry: EntryKey, outcome: Outcome): Row | undefined {
  return outcome === null ? undefined : rowOf(entry, outcome as RowState);
}

function rowOfFound({ namespace, key, hash, state }: FoundRow): Row {
  return rowOf({ name: `${namespace}/${hash}`, namespace, key }, state);
}

function rowPage(outcome: Outcome): Page<Row> {
  const { items, cursor } = outcome as PageOf<FoundRow>;
  return page(items.map(rowOfFound), cursor);
}

function page<T>(items: readonly T[], cursor: string | null): Page<T> {
  return cursor === null ? { items } : { items, cursor };
}

function rowOf({ name, namespace, key }: EntryKey, state: RowState): Row {
  const [status, id, staging, size, sha256] = state;
  const base = {
    name,
    namespace,
    key,
    ...(id !== null && { id }),
  };
  if (status === STATUS.evicting) return { ...base, status: "evicting" };
  const digest = size !== null && sha256 !== null && sha256 !== ""
    ? { digest: { size, sha256 } }
    : {};
  if (status === STATUS.ready) return { ...base, ...digest, status: "ready" };
  const path = staging === null ? {} : { staging };
  return { ...base, ...path, ...digest, status: "loading" };
}
