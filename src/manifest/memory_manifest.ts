/**
 * The manifest's twin in memory, for tests and the simulation: it keeps the
 * same contract, takes no time and loses nothing.
 *
 * @module
 */

import { LarderError } from "../errors.ts";
import type { Assignment, Digest, EntryKey, Id, Row } from "../table/types.ts";
import type { Expected, Manifest, Page } from "./manifest.ts";

/** Rows of a page: few, so that tests see more than one. */
const PAGE_ROWS = 100;

/** A row as it rests; what a status does not use is absent. */
interface StoredRow extends EntryKey {
  readonly status: Row["status"];
  readonly id?: Id;
  readonly staging?: string;
  readonly digest?: Digest;
  /** Since when it is loading under its id, or evicting. */
  readonly assignedMs: number;
  /** Counts insertions: what SQLite orders by where times are equal. */
  readonly order: number;
}

/** The rows: what outlives a {@linkcode MemoryManifest}, as the file does the other. */
export class MemoryRows {
  /** By entry name. */
  readonly byName: Map<string, StoredRow> = new Map();
  /** The entry that carries an id. */
  readonly nameById: Map<Id, string> = new Map();
  /** Whether a manifest was opened on these rows. */
  served = false;
  #order = 0;

  /** The place of the next row in the order of insertions. */
  nextOrder(): number {
    return ++this.#order;
  }

  /** Writes a row. Fails, like the unique index, when another has its id. */
  put(row: StoredRow): void {
    const { id, name } = row;
    if (id !== undefined && (this.nameById.get(id) ?? name) !== name) {
      throw new LarderError("manifest-failed", "The manifest refused a change");
    }
    this.delete(name);
    this.byName.set(name, row);
    if (id !== undefined) this.nameById.set(id, name);
  }

  /** Removes a row. */
  delete(name: string): void {
    const id = this.byName.get(name)?.id;
    if (id !== undefined) this.nameById.delete(id);
    this.byName.delete(name);
  }
}

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

  /** {@inheritDoc Manifest.publish} */
  publish(entry: EntryKey, id: Id, digest: Digest): Promise<boolean> {
    return this.#change(entry, { status: "loading", id }, (row) => {
      const { staging: _, ...kept } = row;
      this.rows.put({ ...kept, status: "ready", digest });
    });
  }

  /** {@inheritDoc Manifest.complete} */
  complete(entry: EntryKey, id: Id, digest: Digest): Promise<boolean> {
    return this.#run(() => {
      const row = this.rows.byName.get(entry.name);
      if (row?.status !== "ready" || row.digest) return false;
      this.rows.put({ ...row, id, digest });
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
    return this.#page((row) => row.status !== "ready", cursor);
  }

  /** {@inheritDoc Manifest.stale} */
  stale(beforeWallMs: number, cursor?: string): Promise<Page<Row>> {
    return this.#page(
      (row) => row.status === "loading" && row.assignedMs < beforeWallMs,
      cursor,
    );
  }

  /** {@inheritDoc Manifest.names} */
  names(namespace: string, cursor = ""): Promise<Page<string>> {
    return this.#run(() => {
      const names = [...this.rows.byName.values()]
        .filter((row) => row.namespace === namespace)
        .map((row) => row.name.slice(namespace.length + 1))
        .filter((name) => name > cursor).sort();
      const items = names.slice(0, PAGE_ROWS);
      const last = names.length > PAGE_ROWS ? items.at(-1) : undefined;
      return last === undefined ? { items } : { items, cursor: last };
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
    if (!stored) return undefined;
    const { assignedMs: _assignedMs, order: _order, ...row } = stored;
    if (row.status === "loading") return { ...row, status: "loading" };
    const { staging: _staging, ...settled } = row;
    if (row.status === "ready") return { ...settled, status: "ready" };
    const { digest: _digest, ...evicting } = settled;
    return { ...evicting, status: "evicting" };
  }

  #page(
    wanted: (row: StoredRow) => boolean,
    cursor = "",
  ): Promise<Page<Row>> {
    return this.#run(() => {
      const rows = [...this.rows.byName.values()]
        .filter((row) => wanted(row) && position(row) > cursor)
        .sort((a, b) => position(a) < position(b) ? -1 : 1);
      const items = rows.slice(0, PAGE_ROWS);
      const last = rows.length > PAGE_ROWS ? items.at(-1) : undefined;
      const page = {
        items: items.map((row) => this.#row(row.name)).filter(isRow),
      };
      return last === undefined ? page : { ...page, cursor: position(last) };
    });
  }
}

/** Where a row stands among its like: sorts as text. */
function position({ assignedMs, order }: StoredRow): string {
  const digits = (value: number) =>
    String(Math.max(0, value)).padStart(16, "0");
  return `${digits(assignedMs)}:${digits(order)}`;
}

function isRow(row: Row | undefined): row is Row {
  return row !== undefined;
}
