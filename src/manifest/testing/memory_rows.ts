/**
 * The rows of the manifest in memory, as the table of the one in SQLite.
 *
 * @module
 */

import { LarderError } from "../../errors.ts";
import type { Digest, EntryKey, Id, Row } from "../../table/types.ts";
import type { EntryInfo } from "../manifest.ts";

/** A row as it rests; what a status does not use is absent, or left over. */
export interface StoredRow extends EntryKey {
  /** The status. */
  readonly status: Row["status"];
  /** The assignment it is of. */
  readonly id?: Id;
  /** The staging file's name, while loading. */
  readonly staging?: string;
  /** What verifies the blob. */
  readonly digest?: Digest;
  /** The size that its file has, in bytes, where there is no digest. */
  readonly measured?: number;
  /** When it was published. */
  readonly createdMs?: number;
  /** When it was used last. */
  readonly accessedMs?: number;
  /** When a path to it was given out last. */
  readonly handedMs?: number;
  /** While loading: when the grace ends that a start gave it. */
  readonly graceEndsMs?: number;
  /** For how long it is kept once it is published. */
  readonly ttlMs?: number;
  /** What computing it took. */
  readonly computedMs?: number;
  /** The name of whose its id is. */
  readonly owner?: string;
  /** Since when it is loading under its id, or evicting. */
  readonly assignedMs: number;
  /** Counts insertions: what SQLite orders by where times are equal. */
  readonly order: number;
}

/** The rows: what outlives a `MemoryManifest`, as the file does the other. */
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

  /** Writes a ready row as the original server does: it knows nothing more. */
  putOriginal(entry: EntryKey): void {
    this.put({
      ...entry,
      status: "ready",
      assignedMs: 0,
      order: this.nextOrder(),
    });
  }

  /** Removes a row. */
  delete(name: string): void {
    const id = this.byName.get(name)?.id;
    if (id !== undefined) this.nameById.delete(id);
    this.byName.delete(name);
  }
}

/** The size of its value, as far as it is known. */
export function sizeOf({ digest, measured }: StoredRow): number | undefined {
  return digest?.size ?? measured;
}

/** A row as the manifest hands it out. */
export function rowOfStored(stored: StoredRow): Row {
  const { name, namespace, key, status, id, staging, digest } = stored;
  const { handedMs, graceEndsMs, ttlMs, computedMs } = stored;
  const base = { name, namespace, key, ...(id !== undefined && { id }) };
  if (status === "evicting") return { ...base, status };
  const { owner } = stored;
  const known = {
    ...base,
    ...(digest && { digest }),
    ...(owner !== undefined && { owner }),
  };
  if (status === "loading") {
    return {
      ...known,
      ...(staging !== undefined && { staging }),
      ...(graceEndsMs !== undefined && { graceEndsMs }),
      assignedMs: stored.assignedMs,
      ...(ttlMs !== undefined && { ttlMs }),
      status,
    };
  }
  const expiresMs = expiryOf(stored);
  return {
    ...known,
    ...(handedMs !== undefined && { handedMs }),
    ...(expiresMs !== undefined && { expiresMs }),
    ...(computedMs !== undefined && { computedMs }),
    status,
  };
}

/** When its time is over; `undefined`: never. */
export function expiryOf(
  { createdMs, ttlMs }: StoredRow,
): number | undefined {
  return createdMs === undefined || ttlMs === undefined
    ? undefined
    : createdMs + ttlMs;
}

/** A row as people look at it. */
export function infoOfStored(stored: StoredRow): EntryInfo {
  const { name, namespace, key, status, digest, createdMs, accessedMs } =
    stored;
  const size = sizeOf(stored);
  const expiresMs = expiryOf(stored);
  const { computedMs } = stored;
  return {
    ...{ name, namespace, key, status },
    ...(size !== undefined && { size }),
    ...(digest && { sha256: digest.sha256 }),
    ...(createdMs !== undefined && { createdMs }),
    ...(accessedMs !== undefined && { accessedMs }),
    ...(expiresMs !== undefined && { expiresMs }),
    ...(computedMs !== undefined && { computedMs }),
  };
}
