/**
 * The manifest in `cache.sqlite`: operations become messages for the worker
 * that has the database open, its outcomes become rows.
 *
 * @module
 */

import {
  type Durability,
  type FoundAged,
  type FoundExpired,
  type FoundInfo,
  type FoundKey,
  type FoundRow,
  type Makes,
  type PackedUse,
  type PageOf,
  type RowInfo,
  STATUS,
} from "../../workers/manifest_protocol.ts";
import type { Assignment, Digest, EntryKey, Id, Row } from "../table/types.ts";
import { packKeys } from "./batch.ts";
import { BatchQueue, type BatchStats } from "./batch_queue.ts";
import {
  agedOf,
  entryOfFound,
  expiredOf,
  infoOf,
  infoOfKey,
  maybeRow,
  page,
  rowOfFound,
  usageOf,
} from "./found.ts";
import {
  type AgedEntry,
  type EntryInfo,
  type Expected,
  type ExpiredEntry,
  type Manifest,
  MAX_USES,
  type NamespaceUsage,
  type OldestOptions,
  type Page,
  type PageOptions,
  type Use,
} from "./manifest.ts";
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
  /** Where one that is missing is made; default: `anywhere`. */
  readonly makes?: Makes;
  /** The wall clock; see `Clock.wallMs`. */
  readonly wallMs: () => number;
  /** Is told how long each operation took. */
  readonly onTook?: ((kind: string, ms: number) => void) | undefined;
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
    const { durability = "relaxed", makes = "anywhere" } = options;
    const spawn = options.spawn ?? spawnManifestWorker;
    const queue = await BatchQueue.open({
      ...options,
      durability,
      makes,
      spawn,
    });
    return new SqliteManifest(queue, options.wallMs);
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
    const { id, staging = null, ttlMs = null } = assignment;
    const outcome = await this.#queue.call(
      ["claim", namespace, key.length, id, staging, ttlMs, this.#wallMs()],
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
    const { id, staging = null, ttlMs = null } = assignment;
    const outcome = await this.#queue.call(
      [
        "reassign",
        namespace,
        key.length,
        STATUS[expected.status],
        expected.id ?? null,
        id,
        staging,
        ttlMs,
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

  /** {@inheritDoc Manifest.grace} */
  async grace(endsMs: number): Promise<void> {
    await this.#queue.call(["grace", Math.floor(endsMs)]);
  }

  /** {@inheritDoc Manifest.renewed} */
  renewed({ namespace, key }: EntryKey, id: Id): Promise<boolean> {
    return this.#queue.call(
      ["renewed", namespace, key.length, id],
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
    const outcome = await this.#queue.call(["unsettled", cursor ?? null]);
    return page(outcome as PageOf<FoundRow>, rowOfFound);
  }

  /** {@inheritDoc Manifest.stale} */
  async stale(beforeWallMs: number, cursor?: string): Promise<Page<Row>> {
    const outcome = await this.#queue.call(
      ["stale", beforeWallMs, cursor ?? null],
    );
    return page(outcome as PageOf<FoundRow>, rowOfFound);
  }

  /** {@inheritDoc Manifest.names} */
  async names(namespace: string, cursor?: string): Promise<Page<string>> {
    const outcome = await this.#queue.call(
      ["names", namespace, cursor ?? null],
    );
    return page(outcome as PageOf<string>, (name) => name);
  }

  /** {@inheritDoc Manifest.usage} */
  async usage(): Promise<readonly NamespaceUsage[]> {
    return usageOf(await this.#queue.call(["usage", -1, null]));
  }

  /** {@inheritDoc Manifest.usagePage} */
  async usagePage(
    { limit, cursor }: PageOptions,
  ): Promise<Page<NamespaceUsage>> {
    const asked = await this.#queue.call(["usage", limit, cursor ?? null]);
    const items = usageOf(asked);
    const last = items.length === limit ? items.at(-1) : undefined;
    return last ? { items, cursor: last.namespace } : { items };
  }

  /** {@inheritDoc Manifest.oldest} */
  async oldest(
    pattern: string,
    { limit, keyBytes = Infinity, handedBeforeMs = Infinity, cursor }:
      OldestOptions,
  ): Promise<Page<AgedEntry>> {
    const outcome = await this.#queue.call(
      ["oldest", pattern, cursor ?? null, limit, keyBytes, handedBeforeMs],
    );
    return page(outcome as PageOf<FoundAged>, agedOf);
  }

  /** {@inheritDoc Manifest.expired} */
  async expired(atMs: number, cursor?: string): Promise<Page<ExpiredEntry>> {
    const outcome = await this.#queue.call(
      ["expired", Math.floor(atMs), cursor ?? null],
    );
    return page(outcome as PageOf<FoundExpired>, expiredOf);
  }

  /** {@inheritDoc Manifest.touch} */
  async touch(uses: readonly Use[]): Promise<void> {
    if (uses.length > MAX_USES) {
      throw new RangeError(`Cannot touch more than ${MAX_USES} entries`);
    }
    const keys = packKeys(uses.map(({ entry }) => entry.key));
    const packed = uses.map(({ entry, accessedMs, handed }): PackedUse => [
      entry.namespace,
      entry.key.length,
      Math.floor(accessedMs),
      handed,
    ]);
    await this.#queue.call(["touch", packed, keys.length], keys);
  }

  /** {@inheritDoc Manifest.unmeasured} */
  async unmeasured(cursor?: string): Promise<Page<EntryKey>> {
    const outcome = await this.#queue.call(["unmeasured", cursor ?? null]);
    return page(outcome as PageOf<FoundKey>, entryOfFound);
  }

  /** {@inheritDoc Manifest.measure} */
  measure(
    { namespace, key }: EntryKey,
    found: { readonly size: number; readonly accessedMs: number },
  ): Promise<boolean> {
    const accessedMs = Math.floor(found.accessedMs);
    return this.#queue.call(
      ["measure", namespace, key.length, found.size, accessedMs],
      key,
    ) as Promise<boolean>;
  }

  /** {@inheritDoc Manifest.list} */
  async list(
    namespace: string,
    { limit, cursor }: PageOptions,
  ): Promise<Page<EntryInfo>> {
    const outcome = await this.#queue.call(
      ["list", namespace, cursor ?? null, limit],
    );
    return page(outcome as PageOf<FoundInfo>, infoOf);
  }

  /** {@inheritDoc Manifest.stat} */
  async stat(entry: EntryKey): Promise<EntryInfo | undefined> {
    const { namespace, key } = entry;
    const outcome = await this.#queue.call(
      ["stat", namespace, key.length],
      key,
    );
    return outcome === null ? undefined : infoOfKey(entry, outcome as RowInfo);
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
