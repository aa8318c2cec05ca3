/**
 * What the manifest's statements find, as it travels to the main isolate.
 *
 * @module
 */

import { sha256Hex } from "./digest.ts";
import {
  type FoundAged,
  type FoundExpired,
  type FoundInfo,
  type FoundKey,
  type FoundRow,
  type PageOf,
  type RowInfo,
  type RowState,
  STATUS,
  type StatusCode,
} from "./manifest_protocol.ts";
import type { Value, Values } from "./sqlite.ts";

/** Bytes of keys on a page, unless fewer are wanted: 500 of the longest are 32 MB. */
const PAGE_KEY_BYTES = 1024 * 1024;
/** So many rows are read at once: of the longest keys a page. */
const STEP_ROWS = 16;

/** What makes a page of rows. */
export interface PageShape<T> {
  /** Where the page starts. */
  readonly after: string | null;
  /** How many rows it has at most. */
  readonly limit: number;
  /** Bytes of keys that it has at most, if it has more than one row. */
  readonly keyBytes?: number;
  /** Finds the next rows after a position. */
  readonly find: (after: string | null, most: number) => Values[];
  /** In which column the key is. */
  readonly key: number;
  /** What goes onto the page. */
  readonly item: (row: Values) => T;
  /** The position of a row: where the next page starts. */
  readonly cursor: (row: Values) => string;
  /** The row at which `find` stopped looking after this position, where it did before the last. */
  readonly end?: (after: string | null) => Values | undefined;
}

/** Reads a page; one that is not full ends where the search did. */
export function page<T>(shape: PageShape<T>): PageOf<T> {
  const { limit, item, cursor, find, end } = shape;
  const keyBytes = Math.min(shape.keyBytes ?? Infinity, PAGE_KEY_BYTES);
  const items: T[] = [];
  let bytes = 0;
  let after = shape.after;
  while (items.length < limit) {
    const from = after;
    const most = Math.min(STEP_ROWS, limit - items.length);
    const rows = find(from, most);
    for (const row of rows) {
      bytes += (row[shape.key] as Uint8Array).length;
      if (items.length > 0 && bytes > keyBytes) return { items, cursor: after };
      items.push(item(row));
      after = cursor(row);
    }
    if (rows.length === most) continue;
    const last = end?.(from);
    return { items, cursor: last ? cursor(last) : null };
  }
  return { items, cursor: after };
}

/** Comes before every time and every row. */
export const BEFORE_ALL: bigint = -(2n ** 63n);

/** A cursor is the position of the last row of its page: `time:rowid`. */
export function position(
  cursor: string | null,
): [sinceMs: bigint, rowid: bigint] {
  if (cursor === null) return [BEFORE_ALL, BEFORE_ALL];
  const [sinceMs = "", rowid = ""] = cursor.split(":");
  return [BigInt(sinceMs), BigInt(rowid)];
}

/** An id, or a cursor that is one number, as SQLite takes it. */
export function integer(id: string | null): bigint | null {
  return id === null ? null : BigInt(id);
}

/** An entry's key and its hash. */
export function foundKey(
  namespace: string,
  value: Value | undefined,
): FoundKey {
  const key = value as Uint8Array;
  return { namespace, key, hash: sha256Hex(key) };
}

/** From `assigned_ms, rowid, namespace, key` and the state. */
export function foundRow(row: Values): FoundRow {
  return { ...foundKey(String(row[2]), row[3]), state: rowState(row, 4) };
}

/** From `accessed_ms, rowid, namespace, key, size`. */
export function agedKey(row: Values): FoundAged {
  return {
    ...foundKey(String(row[2]), row[3]),
    accessedMs: Number(row[0]),
    size: number(row[4]),
  };
}

/** From `created_ms + ttl_ms, rowid, namespace, key, size, handed_ms`. */
export function expiredKey(row: Values): FoundExpired {
  return {
    ...foundKey(String(row[2]), row[3]),
    size: number(row[4]),
    handedMs: number(row[5]),
  };
}

/** From `key` and the info. */
export function foundInfo(namespace: string, row: Values): FoundInfo {
  return { ...foundKey(namespace, row[0]), info: rowInfo(row, 1) };
}

/**
 * From `status, id, staging, size, sha256, handed_ms, grace_ms, ttl_ms`, when it
 * expires, and `computed_ms`.
 */
export function rowState(row: Values, at: number): RowState {
  return [
    statusCode(row[at]),
    text(row[at + 1]),
    text(row[at + 2]),
    number(row[at + 3]),
    text(row[at + 4]),
    number(row[at + 5]),
    number(row[at + 6]),
    number(row[at + 7]),
    number(row[at + 8]),
    number(row[at + 9]),
  ];
}

/**
 * From `status, size, sha256, created_ms, accessed_ms`, when it expires, and
 * `computed_ms`.
 */
export function rowInfo(row: Values, at: number): RowInfo {
  return [
    statusCode(row[at]),
    number(row[at + 1]),
    text(row[at + 2]),
    number(row[at + 3]),
    number(row[at + 4]),
    number(row[at + 5]),
    number(row[at + 6]),
  ];
}

function statusCode(value: Value | undefined): StatusCode {
  const status = Number(value);
  return status === STATUS.loading || status === STATUS.ready
    ? status
    : STATUS.evicting;
}

function text(value: Value | undefined): string | null {
  return value === null || value === undefined ? null : String(value);
}

function number(value: Value | undefined): number | null {
  return value === null || value === undefined ? null : Number(value);
}
