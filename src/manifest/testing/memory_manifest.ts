/**
 * The manifest's twin in memory, for tests and the simulation: it keeps the
 * same contract, takes no time and loses nothing.
 *
 * @module
 */

import { LarderError } from "../../errors.ts";
import type {
  Assignment,
  Digest,
  EntryKey,
  Id,
  Row,
} from "../../table/types.ts";
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
} from "../manifest.ts";
import {
  expiryOf,
  infoOfStored,
  MemoryRows,
  rowOfStored,
  sizeOf,
  type StoredRow,
} from "./memory_rows.ts";

/** Rows of a page: few, so that tests see more than one. */
const PAGE_ROWS = 100;
/** Bytes of their keys, as in SQLite. */
const PAGE_KEY_BYTES = 1024 * 1024;

/** What a {@linkcode MemoryManifest} needs. */
export interface MemoryManifestOptions {
  /** The wall clock; see `Clock.wallMs`. */
  readonly wallMs: () => number;
  /** The rows of a manifest before it; fresh ones where there was none. */
  readonly rows?: MemoryRows;
}

/** A {@linkcode Manifest} in memory. */
export class MemoryManifest implements Manifest {
  /** {@inheritDoc Manifest.servedBefore} */
  readonly servedBefore: boolean;
  /** What the next manifest is opened on, to play a restart. */
  readonly rows: MemoryRows;
  readonly #wallMs: () => number;
  #closed = false;

  /** Opens some rows. */
  constructor({ wallMs, rows = new MemoryRows() }: MemoryManifestOptions) {
    this.#wallMs = () => Math.floor(wallMs());
    this.rows = rows;
    this.servedBefore = rows.served;
    rows.served = true;
  }

  /** {@inheritDoc Manifest.find} */
  find(entry: EntryKey): Promise<Row | undefined> {
    return this.#run(() => this.#row(entry.name));
  }

  /** {@inheritDoc Manifest.findId} */
  findId(id: Id): Promise<Row | undefined> {
    return this.#run(() => {
      const name = this.rows.nameById.get(id);
      const row = name === undefined ? undefined : this.#row(name);
      return row?.status === "evicting" ? undefined : row;
    });
  }

  /** {@inheritDoc Manifest.claim} */
  claim(
    entry: EntryKey,
    assignment: Assignment,
  ): Promise<Row | undefined> {
    return this.#run(() => {
      const row = this.#row(entry.name);
      if (row) return row;
      this.#assign(entry, assignment, this.rows.nextOrder());
      return undefined;
    });
  }

  /** {@inheritDoc Manifest.reassign} */
  reassign(
    entry: EntryKey,
    expected: Expected,
    assignment: Assignment,
  ): Promise<true | Row | undefined> {
    return this.#run(() => {
      const row = this.#expect(entry, expected);
      if (row?.status !== "loading") return this.#row(entry.name);
      this.#assign(row, assignment, row.order);
      return true;
    });
  }

  /** {@inheritDoc Manifest.record} */
  record(entry: EntryKey, id: Id, digest: Digest): Promise<boolean> {
    return this.#change(entry, { status: "loading", id }, (row) => {
      this.rows.put({ ...row, digest });
    });
  }

  /** {@inheritDoc Manifest.grace} */
  grace(endsMs: number): Promise<void> {
    return this.#run(() => {
      const isOurs = ({ status, id, graceEndsMs }: StoredRow) =>
        status === "loading" && id !== undefined && graceEndsMs === undefined;
      for (const row of this.#where(isOurs)) {
        this.rows.put({ ...row, graceEndsMs: Math.floor(endsMs) });
      }
    });
  }

  /** {@inheritDoc Manifest.renewed} */
  renewed(entry: EntryKey, id: Id): Promise<boolean> {
    return this.#change(entry, { status: "loading", id }, (row) => {
      const { graceEndsMs: _, ...kept } = row;
      this.rows.put(kept);
    });
  }

  /** {@inheritDoc Manifest.publish} */
  publish(entry: EntryKey, id: Id, digest: Digest): Promise<boolean> {
    return this.#change(entry, { status: "loading", id }, (row) => {
      const { staging, graceEndsMs: _, ...kept } = row;
      const now = this.#wallMs();
      this.rows.put({
        ...kept,
        ...(staging !== undefined && { handedMs: now }),
        ...{ status: "ready", digest, createdMs: now, accessedMs: now },
        computedMs: Math.max(0, now - row.assignedMs),
      });
    });
  }

  /** {@inheritDoc Manifest.complete} */
  complete(entry: EntryKey, id: Id, digest: Digest): Promise<boolean> {
    return this.#run(() => {
      const row = this.rows.byName.get(entry.name);
      if (row?.status !== "ready" || row.digest) return false;
      const now = this.#wallMs();
      const { ttlMs: _, computedMs: __, owner: ___, ...kept } = row;
      this.rows.put({ ...kept, id, digest, createdMs: now, accessedMs: now });
      return true;
    });
  }

  /** {@inheritDoc Manifest.evict} */
  evict(entry: EntryKey, id: Id | undefined): Promise<boolean> {
    return this.#change(entry, { status: "ready", id }, (row) => {
      const assignedMs = this.#wallMs();
      this.rows.put({ ...row, status: "evicting", assignedMs });
    });
  }

  /** {@inheritDoc Manifest.remove} */
  remove(entry: EntryKey, expected: Expected): Promise<boolean> {
    return this.#change(entry, expected, (row) => this.rows.delete(row.name));
  }

  /** {@inheritDoc Manifest.unsettled} */
  unsettled(cursor?: string): Promise<Page<Row>> {
    return this.#page(cursor, {
      rows: () => this.#where((row) => row.status !== "ready"),
      position: assignedPosition,
      item: rowOfStored,
    });
  }

  /** {@inheritDoc Manifest.stale} */
  stale(beforeWallMs: number, cursor?: string): Promise<Page<Row>> {
    return this.#page(cursor, {
      rows: () =>
        this.#where((row) =>
          row.status === "loading" && row.assignedMs < beforeWallMs
        ),
      position: assignedPosition,
      item: rowOfStored,
    });
  }

  /** {@inheritDoc Manifest.names} */
  names(namespace: string, cursor?: string): Promise<Page<string>> {
    return this.#page(cursor, {
      rows: () => this.#where((row) => row.namespace === namespace),
      position: ({ name }) => name,
      item: ({ name }) => name.slice(namespace.length + 1),
    });
  }

  /** {@inheritDoc Manifest.usage} */
  usage(): Promise<readonly NamespaceUsage[]> {
    return this.#run(() => {
      const all = new Map<string, NamespaceUsage>();
      for (const row of this.#where((row) => row.status === "ready")) {
        const { namespace } = row;
        const { entries, bytes } = all.get(namespace) ??
          { entries: 0, bytes: 0 };
        all.set(namespace, {
          namespace,
          entries: entries + 1,
          bytes: bytes + (sizeOf(row) ?? 0),
        });
      }
      return [...all.values()].sort((a, b) =>
        a.namespace < b.namespace ? -1 : 1
      );
    });
  }

  /** {@inheritDoc Manifest.usagePage} */
  async usagePage(
    { limit, cursor = "" }: PageOptions,
  ): Promise<Page<NamespaceUsage>> {
    const used = await this.usage();
    const names = new Set(this.#where(() => true).map((row) => row.namespace));
    const all = [...names].toSorted().map((namespace) =>
      used.find((each) => each.namespace === namespace) ??
        { namespace, entries: 0, bytes: 0 }
    );
    const after = all.filter(({ namespace }) => namespace > cursor);
    const items = after.slice(0, limit);
    const last = items.length === limit ? items.at(-1) : undefined;
    return last ? { items, cursor: last.namespace } : { items };
  }

  /** {@inheritDoc Manifest.oldest} */
  oldest(
    pattern: string,
    { limit, keyBytes, handedBeforeMs = Infinity, cursor }: OldestOptions,
  ): Promise<Page<AgedEntry>> {
    return this.#page(cursor, {
      rows: () =>
        this.#where((row) =>
          row.status === "ready" && isOf(pattern, row.namespace) &&
          row.accessedMs !== undefined &&
          (row.handedMs ?? -Infinity) < handedBeforeMs
        ),
      position: ({ accessedMs = 0, order }) => position(accessedMs, order),
      item: (row) => {
        const size = sizeOf(row);
        return {
          ...keyOf(row),
          ...(size !== undefined && { size }),
          accessedMs: row.accessedMs ?? 0,
        };
      },
      limit,
      ...keyBytes !== undefined && { keyBytes },
    });
  }

  /** {@inheritDoc Manifest.expired} */
  expired(atMs: number, cursor?: string): Promise<Page<ExpiredEntry>> {
    return this.#page(cursor, {
      rows: () =>
        this.#where((row) =>
          row.status === "ready" && (expiryOf(row) ?? Infinity) <= atMs
        ),
      position: (row) => position(expiryOf(row) ?? 0, row.order),
      item: (row) => {
        const { name, namespace, key, handedMs } = row;
        const size = sizeOf(row);
        return {
          ...{ name, namespace, key },
          ...(size !== undefined && { size }),
          ...(handedMs !== undefined && { handedMs }),
        };
      },
    });
  }

  /** {@inheritDoc Manifest.touch} */
  touch(uses: readonly Use[]): Promise<void> {
    return this.#run(() => {
      if (uses.length > MAX_USES) {
        throw new RangeError(`Cannot touch more than ${MAX_USES} entries`);
      }
      for (const { entry, accessedMs, handed } of uses) {
        const row = this.rows.byName.get(entry.name);
        if (row?.status !== "ready") continue;
        const atMs = Math.floor(accessedMs);
        this.rows.put({
          ...row,
          accessedMs: Math.max(row.accessedMs ?? atMs, atMs),
          ...(handed && { handedMs: Math.max(row.handedMs ?? atMs, atMs) }),
        });
      }
    });
  }

  /** {@inheritDoc Manifest.unmeasured} */
  unmeasured(cursor?: string): Promise<Page<EntryKey>> {
    return this.#page(cursor, {
      rows: () => this.#where(isUnmeasured),
      position: ({ order }) => position(0, order),
      item: keyOf,
    });
  }

  /** {@inheritDoc Manifest.measure} */
  measure(
    entry: EntryKey,
    found: { readonly size: number; readonly accessedMs: number },
  ): Promise<boolean> {
    return this.#run(() => {
      const row = this.rows.byName.get(entry.name);
      if (!row || !isUnmeasured(row)) return false;
      this.rows.put({
        ...row,
        measured: sizeOf(row) ?? found.size,
        accessedMs: row.accessedMs ?? Math.floor(found.accessedMs),
      });
      return true;
    });
  }

  /** {@inheritDoc Manifest.list} */
  async list(
    namespace: string,
    { limit, cursor }: PageOptions,
  ): Promise<Page<EntryInfo>> {
    const after = cursor === undefined ? undefined : `0${cursor}`;
    const page = await this.#page(after, {
      rows: () => this.#where((row) => row.namespace === namespace),
      // One digit in front: the first cursor, the empty text, is no position.
      position: ({ key }) => `0${key.toHex()}`,
      item: infoOfStored,
      limit,
    });
    return page.cursor === undefined
      ? page
      : { ...page, cursor: page.cursor.slice(1) };
  }

  /** {@inheritDoc Manifest.stat} */
  stat(entry: EntryKey): Promise<EntryInfo | undefined> {
    return this.#run(() => {
      const stored = this.rows.byName.get(entry.name);
      return stored && infoOfStored(stored);
    });
  }

  /** {@inheritDoc Manifest.close} */
  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  /** {@inheritDoc Manifest.close} */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Takes effect at the call, like a place in the queue; answers later. */
  // deno-lint-ignore require-await
  async #run<T>(operation: () => T): Promise<T> {
    if (this.#closed) {
      throw new LarderError("manifest-failed", "The manifest is closed");
    }
    return operation();
  }

  #change(
    entry: EntryKey,
    expected: Expected,
    change: (row: StoredRow) => void,
  ): Promise<boolean> {
    return this.#run(() => {
      const row = this.#expect(entry, expected);
      if (row) change(row);
      return row !== undefined;
    });
  }

  #expect(entry: EntryKey, { status, id }: Expected): StoredRow | undefined {
    const row = this.rows.byName.get(entry.name);
    return row?.status === status && row.id === id ? row : undefined;
  }

  #assign(
    { name, namespace, key }: EntryKey,
    assignment: Assignment,
    order: number,
  ): void {
    const assignedMs = this.#wallMs();
    const entry = { name, namespace, key: key.slice() };
    this.rows.put(
      { ...entry, ...assignment, status: "loading", assignedMs, order },
    );
  }

  #row(name: string): Row | undefined {
    const stored = this.rows.byName.get(name);
    return stored && rowOfStored(stored);
  }

  #where(wanted: (row: StoredRow) => boolean): StoredRow[] {
    return [...this.rows.byName.values()].filter(wanted);
  }

  #page<T>(
    cursor: string | undefined,
    { rows, position, item, limit = PAGE_ROWS, keyBytes = PAGE_KEY_BYTES }: {
      readonly rows: () => StoredRow[];
      /** Where a row stands among its like: sorts as text. */
      readonly position: (row: StoredRow) => string;
      readonly item: (row: StoredRow) => T;
      readonly limit?: number;
      readonly keyBytes?: number;
    },
  ): Promise<Page<T>> {
    return this.#run(() => {
      const after = rows()
        .filter((row) => position(row) > (cursor ?? ""))
        .sort((a, b) => position(a) < position(b) ? -1 : 1);
      let bytes = 0;
      const tooMany = after.slice(0, Math.min(limit, PAGE_ROWS)).findIndex(
        ({ key }, index) => (bytes += key.length) > keyBytes && index > 0,
      );
      const most = tooMany < 0 ? limit : tooMany;
      const found = after.slice(0, Math.min(most, PAGE_ROWS));
      const items = found.map(item);
      const last = after.length > found.length ? found.at(-1) : undefined;
      return last === undefined ? { items } : { items, cursor: position(last) };
    });
  }
}

function assignedPosition({ assignedMs, order }: StoredRow): string {
  return position(assignedMs, order);
}

function position(atMs: number, order: number): string {
  const digits = (value: number) =>
    String(Math.max(0, value)).padStart(16, "0");
  return `${digits(atMs)}:${digits(order)}`;
}

/** `*`, `a.b.*` or a namespace itself. */
function isOf(pattern: string, namespace: string): boolean {
  if (pattern === "*") return true;
  return pattern.endsWith(".*")
    ? namespace.startsWith(pattern.slice(0, -1))
    : namespace === pattern;
}

function keyOf({ name, namespace, key }: EntryKey): EntryKey {
  return { name, namespace, key };
}

function isUnmeasured(row: StoredRow): boolean {
  return row.status === "ready" &&
    (sizeOf(row) === undefined || row.accessedMs === undefined);
}
