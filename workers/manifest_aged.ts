/**
 * The ready entries by age, of a namespace or of many.
 *
 * @module
 */

import type { Operation } from "./manifest_operation.ts";
import {
  BY_TIME,
  type Extent,
  type Page,
  pageReader,
} from "./manifest_pages.ts";
import { type Aged, agedOf } from "./manifest_rows.ts";
import type { Value } from "./sqlite.ts";

/** Rows that one page reads at most, wanted or not: a few milliseconds. */
const SCAN_ROWS = 4_096;
/** Sorts after every text. */
const AFTER_ALL_TEXT = new Uint8Array(0);

const AGED = "status = 1 AND accessed_ms IS NOT NULL";
const OF_ONE =
  `FROM manifest INDEXED BY manifest_oldest WHERE ${AGED} AND namespace = :namespace`;
const OF_ALL = `FROM manifest INDEXED BY manifest_age WHERE ${AGED}`;
const COLUMNS = "accessed_ms, rowid AS row, namespace, " +
  "CAST(key AS BLOB) AS key, size, handed_ms";

/**
 * What follows a row in the index of times. Two ranges, because of the tuple
 * `(accessed_ms, rowid)` SQLite would look up the time only, and then walk
 * through all that are as old.
 */
const following = (rows: string, columns: string) =>
  `SELECT ${columns} ${rows} AND accessed_ms = :atMs AND rowid > :rowid UNION ALL ` +
  `SELECT ${columns} ${rows} AND accessed_ms > :atMs ORDER BY 1, 2`;
const oldest = (rows: string, wanted: string) =>
  "SELECT accessed_ms, row, namespace, key, size FROM (" +
  `${following(rows, COLUMNS)} LIMIT ${SCAN_ROWS}` +
  `) WHERE (handed_ms IS NULL OR handed_ms < :handedBeforeMs) ${wanted}` +
  "LIMIT :most";
const end = (rows: string) =>
  `${following(rows, "accessed_ms, rowid")} LIMIT 1 OFFSET ${SCAN_ROWS - 1}`;

const ofOne = pageReader<
  readonly [handedBeforeMs: number, namespace: string],
  Aged
>({
  order: BY_TIME,
  names: "handedBeforeMs namespace",
  sql: oldest(OF_ONE, ""),
  end: end(OF_ONE),
  key: 3,
  item: agedOf,
});

const ofAll = pageReader<
  readonly [handedBeforeMs: number, from: Value, to: Value],
  Aged
>({
  order: BY_TIME,
  names: "handedBeforeMs from to",
  sql: oldest(OF_ALL, "AND namespace >= :from AND namespace < :to "),
  end: end(OF_ALL),
  key: 3,
  item: agedOf,
});

/** The least recently used ones of a namespace, of `a.b.*` or of `*`. */
export const aged: Operation<
  readonly [
    pattern: string,
    handedBeforeMs: number,
    cursor: string | null,
    limit: number,
    keyBytes: number,
  ],
  Page<Aged>
> = {
  sql: [...ofOne.sql, ...ofAll.sql],
  reads: true,
  run(statements, _key, [pattern, handedBeforeMs, cursor, limit, keyBytes]) {
    const extent: Extent = { cursor, limit, keyBytes };
    const range = rangeOf(pattern);
    const { length } = ofOne.sql;
    return range
      ? ofAll.read(statements.slice(length), [handedBeforeMs, ...range], extent)
      : ofOne.read(statements, [handedBeforeMs, pattern], extent);
  },
};

/** Between what the namespaces of a pattern lie; absent: it is a namespace. */
function rangeOf(pattern: string): [from: Value, to: Value] | undefined {
  if (pattern === "*") return ["", AFTER_ALL_TEXT];
  if (!pattern.endsWith(".*")) return undefined;
  // In the order of bytes "/" is next to ".".
  const prefix = pattern.slice(0, -2);
  return [`${prefix}.`, `${prefix}/`];
}
