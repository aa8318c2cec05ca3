/**
 * Every operation of the manifest: its statements, its parameters, and what it
 * answers. `src/manifest/manifest.ts` says what they are for.
 *
 * @module
 */

import { sha256Hex } from "./digest.ts";
import { aged } from "./manifest_aged.ts";
import { SCHEMA_VERSION } from "./manifest_check.ts";
import {
  BY_KEY,
  change,
  changeOrFind,
  FIND,
  ID,
  numbered,
  one,
  type Operation,
} from "./manifest_operation.ts";
import {
  BY_ROWID,
  BY_TIME,
  IN_ORDER_OF_KEYS,
  pageReader,
  pages,
} from "./manifest_pages.ts";
import {
  entryOf,
  expiredOf,
  INFO,
  type Info,
  infoOf,
  type Key,
  rowOf,
  STATE,
  stateOf,
  type StatusCode,
  type Usage,
  usageOf,
} from "./manifest_rows.ts";

/** An id in decimal; null for the rows of the original server that have none. */
type MaybeId = string | null;

/** A row that gets ready, and what it then has. */
type Readied = readonly [
  namespace: string,
  id: string,
  size: number,
  sha256: string,
  nowMs: number,
];

/** One of the uses of a `touch`. */
export type PackedUse = readonly [
  namespace: string,
  keyBytes: number,
  accessedMs: number,
  handed: boolean,
];

/** Rows that one page of `unmeasured` reads at most, wanted or not: about a millisecond. */
const UNMEASURED_SCAN_ROWS = 2_000;

// `status IS NOT 1` is what the partial index is made of; SQLite takes it only
// when the query repeats it word for word.
const UNSETTLED = "status IS NOT 1";
const FOUND = `assigned_ms, rowid, namespace, CAST(key AS BLOB), ${STATE}`;
const AFTER_TIME = "(assigned_ms, rowid) > (:atMs, :rowid) " +
  "ORDER BY assigned_ms, rowid LIMIT :most";
const EXPIRES_MS = "created_ms + ttl_ms";
const AFTER_ROW = "FROM manifest WHERE rowid > :rowid ORDER BY rowid";
const AFTER_KEY =
  "FROM manifest WHERE namespace = :namespace AND key > :after " +
  "ORDER BY key LIMIT :most";

/** Times never go back. */
const later = (column: string, name: string) =>
  `${column} = coalesce(max(${column}, ${name}), ${column}, ${name})`;

const touch = numbered(
  "namespace key accessedMs handedMs",
  `UPDATE manifest SET ${later("accessed_ms", ":accessedMs")}, ` +
    `${later("handed_ms", ":handedMs")} ${BY_KEY} AND status = 1`,
);

const listed = pageReader<readonly [namespace: string], Key & Info>({
  order: IN_ORDER_OF_KEYS,
  names: "namespace",
  sql: `SELECT CAST(key AS BLOB), ${INFO} ${AFTER_KEY}`,
  key: 0,
  item: ([key, ...info], [namespace]) => ({
    ...entryOf(namespace, key),
    ...infoOf(info),
  }),
});

/** By their names. */
export const OPERATIONS = {
  find: one<readonly [namespace: string], ReturnType<typeof stateOf>>(
    "namespace",
    FIND,
    stateOf,
  ),
  findId: one<readonly [id: string], ReturnType<typeof rowOf>>(
    "id",
    `SELECT ${FOUND} FROM manifest WHERE id = ${ID} AND status IN (0, 1)`,
    rowOf,
  ),
  // A write that changes nothing: a page of the file goes to the log.
  rehearse: {
    sql: [`PRAGMA user_version = ${SCHEMA_VERSION}`],
    reads: false,
    run: ([statement]) => statement!.run() >= 0,
  } as Operation<readonly [], boolean>,
  // OR FAIL: see manifest_usage.ts. Nothing is written before a row's checks.
  claim: changeOrFind<
    readonly [
      namespace: string,
      id: string,
      staging: string | null,
      ttlMs: number | null,
      owner: string | null,
      nowMs: number,
    ]
  >(
    "namespace id staging ttlMs owner nowMs",
    "INSERT OR FAIL INTO manifest(namespace, key, status, id, staging, ttl_ms, owner, assigned_ms) " +
      `VALUES(:namespace, :key, 0, ${ID}, :staging, :ttlMs, :owner, :nowMs) ` +
      "ON CONFLICT(namespace, key) DO NOTHING",
  ),
  reassign: changeOrFind<
    readonly [
      namespace: string,
      status: StatusCode,
      expectedId: MaybeId,
      id: string,
      staging: string | null,
      ttlMs: number | null,
      owner: string | null,
      nowMs: number,
    ]
  >(
    "namespace status expectedId id staging ttlMs owner nowMs",
    `UPDATE manifest SET id = ${ID}, staging = :staging, ttl_ms = :ttlMs, ` +
      "owner = :owner, assigned_ms = :nowMs, size = NULL, sha256 = NULL, grace_ms = NULL " +
      `${BY_KEY} AND status = 0 AND status = :status ` +
      "AND id IS CAST(:expectedId AS INTEGER)",
  ),
  record: change<
    readonly [namespace: string, id: string, size: number, sha256: string]
  >(
    "namespace id size sha256",
    "UPDATE manifest SET size = :size, sha256 = unhex(:sha256) " +
      `${BY_KEY} AND status = 0 AND id = ${ID}`,
  ),
  publish: change<Readied>(
    "namespace id size sha256 nowMs",
    "UPDATE manifest SET status = 1, staging = NULL, assigned_ms = NULL, grace_ms = NULL, " +
      "computed_ms = max(0, :nowMs - assigned_ms), size = :size, " +
      "sha256 = unhex(:sha256), created_ms = :nowMs, accessed_ms = :nowMs, " +
      "handed_ms = CASE WHEN staging IS NULL THEN NULL ELSE :nowMs END " +
      `${BY_KEY} AND status = 0 AND id = ${ID}`,
  ),
  // What the original made of a row of ours has neither time from it.
  complete: change<Readied>(
    "namespace id size sha256 nowMs",
    `UPDATE manifest SET id = ${ID}, size = :size, sha256 = unhex(:sha256), ` +
      "created_ms = :nowMs, accessed_ms = :nowMs, ttl_ms = NULL, computed_ms = NULL, owner = NULL " +
      `${BY_KEY} AND status = 1 AND (sha256 IS NULL OR size IS NULL)`,
  ),
  // By itself SQLite goes through all that have an id: at a start of ten million.
  grace: change<readonly [endsMs: number]>(
    "endsMs",
    "UPDATE manifest INDEXED BY manifest_unsettled SET grace_ms = :endsMs " +
      `WHERE ${UNSETTLED} AND status = 0 AND id IS NOT NULL AND grace_ms IS NULL`,
  ),
  renewed: change<readonly [namespace: string, id: string]>(
    "namespace id",
    `UPDATE manifest SET grace_ms = NULL ${BY_KEY} AND status = 0 AND id = ${ID}`,
  ),
  evict: change<readonly [namespace: string, id: MaybeId, nowMs: number]>(
    "namespace id nowMs",
    "UPDATE manifest SET status = 2, assigned_ms = :nowMs " +
      `${BY_KEY} AND status = 1 AND id IS ${ID}`,
  ),
  remove: change<readonly [namespace: string, status: StatusCode, id: MaybeId]>(
    "namespace status id",
    `DELETE FROM manifest ${BY_KEY} AND status = :status AND id IS ${ID}`,
  ),
  measure: change<
    readonly [namespace: string, size: number, accessedMs: number]
  >(
    "namespace size accessedMs",
    "UPDATE manifest SET size = coalesce(size, :size), " +
      "accessed_ms = coalesce(accessed_ms, :accessedMs) " +
      `${BY_KEY} AND status = 1 AND (size IS NULL OR accessed_ms IS NULL)`,
  ),
  /** Its key is those of all the uses, one after the other. */
  touch: {
    sql: [touch],
    reads: false,
    run([statement], keys, [uses]) {
      let offset = 0;
      for (const [namespace, keyBytes, accessedMs, handed] of uses) {
        const key = keys.subarray(offset, offset += keyBytes);
        const handedMs = handed ? accessedMs : null;
        statement!.run(namespace, key, accessedMs, handedMs);
      }
      return true;
    },
  } as Operation<readonly [uses: readonly PackedUse[]], boolean>,
  stat: one<readonly [namespace: string], ReturnType<typeof infoOf>>(
    "namespace",
    `SELECT ${INFO} FROM manifest ${BY_KEY}`,
    infoOf,
  ),
  usage: {
    sql: [
      "SELECT namespace, entries, bytes FROM larder_usage " +
      "WHERE namespace > '' ORDER BY namespace",
    ],
    reads: true,
    run: ([statement]) => statement!.all().map(usageOf),
  } as Operation<readonly [], readonly Usage[]>,
  /** The namespaces after one that have an entry of any kind, and their usage. */
  usage_page: {
    sql: [
      "SELECT namespace, coalesce(entries, 0), coalesce(bytes, 0) " +
      "FROM manifest LEFT JOIN larder_usage USING (namespace) " +
      "WHERE namespace > ?1 ORDER BY namespace LIMIT 1",
    ],
    reads: true,
    // One look for each namespace, however many entries it has.
    run: ([statement], _key, [limit, after]) => {
      const page: Usage[] = [];
      while (page.length < limit) {
        const next = statement!.get(page.at(-1)?.namespace ?? after);
        if (!next) break;
        page.push(usageOf(next));
      }
      return page;
    },
  } as Operation<readonly [limit: number, after: string], readonly Usage[]>,
  aged,
  expired: pages({
    order: BY_TIME,
    names: "beforeMs",
    sql: `SELECT ${EXPIRES_MS}, rowid, namespace, CAST(key AS BLOB), size, ` +
      "handed_ms FROM manifest INDEXED BY manifest_expiry " +
      "WHERE ttl_ms IS NOT NULL AND status = 1 " +
      `AND ${EXPIRES_MS} <= :beforeMs AND (${EXPIRES_MS}, rowid) > (:atMs, :rowid) ` +
      `ORDER BY ${EXPIRES_MS}, rowid LIMIT :most`,
    key: 3,
    item: (row, _: readonly [beforeMs: number]) => expiredOf(row),
  }),
  unsettled: pages({
    order: BY_TIME,
    sql: `SELECT ${FOUND} FROM manifest WHERE ${UNSETTLED} AND ${AFTER_TIME}`,
    key: 3,
    item: (row, _: readonly []) => rowOf(row),
  }),
  stale: pages({
    order: BY_TIME,
    names: "beforeMs",
    sql: `SELECT ${FOUND} FROM manifest WHERE status = 0 ` +
      `AND assigned_ms < :beforeMs AND ${UNSETTLED} AND ${AFTER_TIME}`,
    key: 3,
    item: (row, _: readonly [beforeMs: number]) => rowOf(row),
  }),
  unmeasured: pages({
    order: BY_ROWID,
    sql: "SELECT row, namespace, key FROM (" +
      "SELECT rowid AS row, namespace, CAST(key AS BLOB) AS key, status, size, " +
      `accessed_ms ${AFTER_ROW} LIMIT ${UNMEASURED_SCAN_ROWS}` +
      ") WHERE status = 1 AND (size IS NULL OR accessed_ms IS NULL) LIMIT :most",
    end: `SELECT rowid ${AFTER_ROW} LIMIT 1 OFFSET ${UNMEASURED_SCAN_ROWS - 1}`,
    key: 2,
    item: ([, namespace, key], _: readonly []) => entryOf(namespace, key),
  }),
  names: pages({
    order: IN_ORDER_OF_KEYS,
    names: "namespace",
    sql: `SELECT CAST(key AS BLOB) ${AFTER_KEY}`,
    key: 0,
    item: ([key], _: readonly [namespace: string]) =>
      sha256Hex(key as Uint8Array),
  }),
  list: {
    sql: listed.sql,
    reads: true,
    run: (statements, _key, [namespace, cursor, limit]) =>
      listed.read(statements, [namespace], { cursor, limit }),
  } as Operation<
    readonly [namespace: string, cursor: string | null, limit: number],
    ReturnType<typeof listed["read"]>
  >,
};

/** One of them. */
export type OperationName = keyof typeof OPERATIONS;
/** What it takes. */
export type ArgumentsOf<K extends OperationName> = typeof OPERATIONS[K] extends
  Operation<infer A, unknown> ? A : never;
/** What it answers. */
export type ResultOf<K extends OperationName> = ReturnType<
  typeof OPERATIONS[K]["run"]
>;
