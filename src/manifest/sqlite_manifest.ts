/**
 * The manifest in `cache.sqlite`: operations become messages for the worker
 * that has the database open, its outcomes become rows.
 *
 * @module
 */

import type { PackedUse } from "../../workers/manifest_operations.ts";
import type { Durability, Makes } from "../../workers/manifest_protocol.ts";
import { type RowState, STATUS } from "../../workers/manifest_rows.ts";
import { type Clock, systemClock } from "../clock.ts";
import { DiskTrouble } from "../disk_trouble.ts";
import { LarderError } from "../errors.ts";
import type { Assignment, Digest, EntryKey, Id, Row } from "../table/types.ts";
import { packKeys } from "./batch.ts";
import { BatchQueue, type BatchStats } from "./batch_queue.ts";
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
  /** Says when to try again what failed. */
  readonly clock?: Clock;
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
  readonly #trouble: DiskTrouble<LarderError>;

  private constructor(
    queue: BatchQueue,
    { wallMs, clock = systemClock }: SqliteManifestOptions,
  ) {
    this.#queue = queue;
    this.#trouble = new DiskTrouble<LarderError>({
      rehearse: () => queue.call("rehearse", []),
      isTrouble: (error) => error instanceof LarderError,
      clock,
    });
    queue.onFailed = (error) => this.#trouble.note(error);
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
    return new SqliteManifest(queue, options);
  }

  /** {@inheritDoc Manifest.trouble} */
  get trouble(): LarderError | undefined {
    return this.#trouble.current;
  }

  /** How many messages carried how many operations. */
  get stats(): BatchStats {
    return this.#queue.stats;
  }

  /** {@inheritDoc Manifest.find} */
  async find(entry: EntryKey): Promise<Row | undefined> {
    const { namespace, key } = entry;
    return rowOf(entry, await this.#queue.call("find", [namespace], key));
  }

  /** {@inheritDoc Manifest.findId} */
  async findId(id: Id): Promise<Row | undefined> {
    if (BigInt(id) > MAX_ID) return undefined;
    return await this.#queue.call("findId", [id]) ?? undefined;
  }

  /** {@inheritDoc Manifest.claim} */
  claim(
    entry: EntryKey,
    assignment: Assignment,
  ): Promise<Row | undefined> {
    const { namespace, key } = entry;
    const { id, staging = null, ttlMs = null, owner = null } = assignment;
    const nowMs = this.#wallMs();
    const args = [namespace, id, staging, ttlMs, owner, nowMs] as const;
    return this.#queue.call("claim", args, key).then((found) =>
      found === true ? undefined : rowOf(entry, found)
    );
  }

  /** {@inheritDoc Manifest.reassign} */
  async reassign(
    entry: EntryKey,
    { status, id: expectedId }: Expected,
    assignment: Assignment,
  ): Promise<true | Row | undefined> {
    const { namespace, key } = entry;
    const expected = [STATUS[status], expectedId ?? null] as const;
    const { id, staging = null, ttlMs = null, owner = null } = assignment;
    const found = await this.#queue.call(
      "reassign",
      [namespace, ...expected, id, staging, ttlMs, owner, this.#wallMs()],
      key,
    );
    return found === true ? true : rowOf(entry, found);
  }

  /** {@inheritDoc Manifest.record} */
  record(
    { namespace, key }: EntryKey,
    id: Id,
    { size, sha256 }: Digest,
  ): Promise<boolean> {
    return this.#queue.call("record", [namespace, id, size, sha256], key);
  }

  /** {@inheritDoc Manifest.grace} */
  async grace(endsMs: number): Promise<void> {
    await this.#queue.call("grace", [Math.floor(endsMs)]);
  }

  /** {@inheritDoc Manifest.renewed} */
  renewed({ namespace, key }: EntryKey, id: Id): Promise<boolean> {
    return this.#queue.call("renewed", [namespace, id], key);
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
    const args = [namespace, id, size, sha256, this.#wallMs()] as const;
    return this.#queue.call(operation, args, key);
  }

  /** {@inheritDoc Manifest.evict} */
  evict({ namespace, key }: EntryKey, id: Id | undefined): Promise<boolean> {
    const args = [namespace, id ?? null, this.#wallMs()] as const;
    return this.#queue.call("evict", args, key);
  }

  /** {@inheritDoc Manifest.remove} */
  remove(
    { namespace, key }: EntryKey,
    { status, id }: Expected,
  ): Promise<boolean> {
    const args = [namespace, STATUS[status], id ?? null] as const;
    return this.#queue.call("remove", args, key);
  }

  /** {@inheritDoc Manifest.unsettled} */
  unsettled(cursor?: string): Promise<Page<Row>> {
    return this.#queue.call("unsettled", [cursor ?? null]);
  }

  /** {@inheritDoc Manifest.stale} */
  stale(beforeWallMs: number, cursor?: string): Promise<Page<Row>> {
    return this.#queue.call("stale", [cursor ?? null, beforeWallMs]);
  }

  /** {@inheritDoc Manifest.names} */
  names(namespace: string, cursor?: string): Promise<Page<string>> {
    return this.#queue.call("names", [cursor ?? null, namespace]);
  }

  /** {@inheritDoc Manifest.usage} */
  usage(): Promise<readonly NamespaceUsage[]> {
    return this.#queue.call("usage", []);
  }

  /** {@inheritDoc Manifest.usagePage} */
  async usagePage(
    { limit, cursor }: PageOptions,
  ): Promise<Page<NamespaceUsage>> {
    const items = await this.#queue.call("usage_page", [limit, cursor ?? ""]);
    const last = items.length === limit ? items.at(-1) : undefined;
    return last ? { items, cursor: last.namespace } : { items };
  }

  /** {@inheritDoc Manifest.oldest} */
  oldest(
    pattern: string,
    { limit, keyBytes = Infinity, handedBeforeMs = Infinity, cursor }:
      OldestOptions,
  ): Promise<Page<AgedEntry>> {
    const args = [handedBeforeMs, cursor ?? null, limit, keyBytes] as const;
    return this.#queue.call("aged", [pattern, ...args]);
  }

  /** {@inheritDoc Manifest.expired} */
  expired(atMs: number, cursor?: string): Promise<Page<ExpiredEntry>> {
    return this.#queue.call("expired", [cursor ?? null, Math.floor(atMs)]);
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
    await this.#queue.call("touch", [packed], keys);
  }

  /** {@inheritDoc Manifest.unmeasured} */
  unmeasured(cursor?: string): Promise<Page<EntryKey>> {
    return this.#queue.call("unmeasured", [cursor ?? null]);
  }

  /** {@inheritDoc Manifest.measure} */
  measure(
    { namespace, key }: EntryKey,
    { size, accessedMs }: {
      readonly size: number;
      readonly accessedMs: number;
    },
  ): Promise<boolean> {
    const args = [namespace, size, Math.floor(accessedMs)] as const;
    return this.#queue.call("measure", args, key);
  }

  /** {@inheritDoc Manifest.list} */
  list(
    namespace: string,
    { limit, cursor }: PageOptions,
  ): Promise<Page<EntryInfo>> {
    return this.#queue.call("list", [namespace, cursor ?? null, limit]);
  }

  /** {@inheritDoc Manifest.stat} */
  async stat(entry: EntryKey): Promise<EntryInfo | undefined> {
    const { name, namespace, key } = entry;
    const info = await this.#queue.call("stat", [namespace], key);
    return info ? { name, namespace, key, ...info } : undefined;
  }

  /** {@inheritDoc Manifest.close} */
  close(): Promise<void> {
    this.#trouble.close();
    return this.#queue.close();
  }

  /** {@inheritDoc Manifest.close} */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The row of an entry, if there is one. */
function rowOf(
  { name, namespace, key }: EntryKey,
  state: RowState | null,
): Row | undefined {
  return state ? { name, namespace, key, ...state } : undefined;
}
