/**
 * Operations that read the manifest a page at a time.
 *
 * @module
 */

import { numbered, type Operation } from "./manifest_operation.ts";
import type { Statement, Value, Values } from "./sqlite.ts";

/** Rows of a page: about a millisecond of work, which the next batch waits for. */
const PAGE_ROWS = 500;
/** Bytes of keys on a page, unless fewer are wanted: 500 of the longest are 32 MB. */
const PAGE_KEY_BYTES = 1024 * 1024;
/** So many rows are read at once: of the longest keys a page. */
const STEP_ROWS = 16;

/** A page of what is asked for. */
export interface Page<T> {
  /** What is on this page. */
  readonly items: readonly T[];
  /** Where the next page starts; absent on the last. */
  readonly cursor?: string;
}

/** Where pages start and end. */
export interface Order {
  /** The names of what {@linkcode Order.position} gives. */
  readonly names: string;
  /** What a cursor stands for; null: before all. */
  position(cursor: string | null): Value[];
  /** The cursor of a row. */
  cursor(row: Values): string;
}

/** Comes before every time and every row. */
const BEFORE_ALL = -(2n ** 63n);

/** By the time and the rowid in the first two columns. */
export const BY_TIME: Order = {
  names: "atMs rowid",
  position(cursor) {
    if (cursor === null) return [BEFORE_ALL, BEFORE_ALL];
    return cursor.split(":").map(BigInt);
  },
  cursor: ([atMs, rowid]) => `${atMs}:${rowid}`,
};

/** By the rowid in the first column. */
export const BY_ROWID: Order = {
  names: "rowid",
  position: (cursor) => [cursor === null ? BEFORE_ALL : BigInt(cursor)],
  cursor: ([rowid]) => `${rowid}`,
};

/** By the key in the first column. */
export const IN_ORDER_OF_KEYS: Order = {
  names: "after",
  // Text sorts before every blob: the empty text starts with the empty key.
  position: (cursor) => [cursor === null ? "" : Uint8Array.fromHex(cursor)],
  cursor: ([key]) => (key as Uint8Array).toHex(),
};

/** What is read in pages. */
export interface Pages<A extends readonly Value[], T> {
  /** The order of the rows. */
  readonly order: Order;
  /** Names of the further parameters, after `most`. */
  readonly names?: string;
  /** Reads at most `:most` rows after the position. */
  readonly sql: string;
  /**
   * Where the search of the other statement stopped that ended before the last
   * row; it takes the position, and the parameters after `most`.
   */
  readonly end?: string;
  /** In which column the key is. */
  readonly key: number;
  /** What goes onto the page. */
  item(row: Values, args: A): T;
}

/** How much of it. */
export interface Extent {
  /** Where the page starts. */
  readonly cursor: string | null;
  /** How many rows it has at most. */
  readonly limit?: number;
  /** Bytes of keys that it has at most, if it has more than one row. */
  readonly keyBytes?: number;
}

/** Reads pages of one kind. */
export interface PageReader<A extends readonly Value[], T> {
  /** Its statements. */
  readonly sql: readonly string[];
  /** Reads a page with the compiled statements. */
  read(statements: readonly Statement[], args: A, extent: Extent): Page<T>;
}

/** Makes their reader. */
export function pageReader<A extends readonly Value[], T>(
  { order, names = "", sql, end, key, item }: Pages<A, T>,
): PageReader<A, T> {
  const rest = names && ` ${names}`;
  const found = numbered(`${order.names} most${rest}`, sql);
  const stop = end && numbered(`${order.names}${rest}`, end);
  // It need not know what the rows are like that are wanted.
  const stopParameters = stop ? lastParameter(stop) : 0;
  return {
    sql: stop ? [found, stop] : [found],
    read([rows, stop], args, extent) {
      const limit = Math.min(extent.limit ?? Infinity, PAGE_ROWS);
      const keyBytes = Math.min(extent.keyBytes ?? Infinity, PAGE_KEY_BYTES);
      const items: T[] = [];
      let bytes = 0;
      let after = extent.cursor;
      while (items.length < limit) {
        const from = order.position(after);
        const most = Math.min(STEP_ROWS, limit - items.length);
        const found = rows!.all(...from, most, ...args);
        for (const row of found) {
          bytes += (row[key] as Uint8Array).length;
          if (items.length > 0 && bytes > keyBytes) return pageOf(items, after);
          items.push(item(row, args));
          after = order.cursor(row);
        }
        if (found.length === most) continue;
        // One that is not full ends where the search did.
        const last = stop?.get(...[...from, ...args].slice(0, stopParameters));
        return pageOf(items, last ? order.cursor(last) : null);
      }
      return pageOf(items, after);
    },
  };
}

/** The operation that reads pages of one kind, from a cursor on. */
export function pages<A extends readonly Value[], T>(
  shape: Pages<A, T>,
): Operation<readonly [cursor: string | null, ...args: A], Page<T>> {
  const { sql, read } = pageReader(shape);
  return {
    sql,
    reads: true,
    run: (statements, _key, [cursor, ...args]) =>
      read(statements, args as unknown as A, { cursor }),
  };
}

/** The number of its last parameter. */
function lastParameter(sql: string): number {
  return Math.max(0, ...sql.matchAll(/\?(\d+)/g).map(([, at]) => Number(at)));
}

function pageOf<T>(items: T[], cursor: string | null): Page<T> {
  return cursor === null ? { items } : { items, cursor };
}
