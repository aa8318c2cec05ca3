/**
 * The manifest's operations as SQL: each is one statement, or two where the
 * answer is the row that stood in the way.
 *
 * @module
 */

import { sha256Hex } from "./digest.ts";
import {
  type FoundRow,
  type Operation,
  type Outcome,
  type PageOf,
  type RowState,
  STATUS,
} from "./manifest_protocol.ts";
import type { Database, Statement, Value, Values } from "./sqlite.ts";

/** Rows of a page: about a millisecond of work, which the next batch waits for. */
export const PAGE_ROWS = 500;

const STATE = "status, id, staging, size, lower(hex(sha256))";
const BY_KEY = "WHERE namespace = ? AND key = ?";

// `status IS NOT 1` is what the partial index is made of; SQLite takes it only
// when the query repeats it word for word.
const AFTER_CURSOR =
  "status IS NOT 1 AND (assigned_ms, rowid) > (?, ?) ORDER BY assigned_ms, rowid LIMIT ?";
const FOUND = `assigned_ms, rowid, namespace, CAST(key AS BLOB), ${STATE}`;

/** Every statement; exported so that a test can ask for their plans. */
export const SQL = {
  find: `SELECT ${STATE} FROM manifest ${BY_KEY}`,
  findId: `SELECT ${FOUND} FROM manifest WHERE id = ? AND status IN (0, 1)`,
  claim:
    "INSERT INTO manifest(namespace, key, status, id, staging, assigned_ms) " +
    "VALUES(?, ?, 0, ?, ?, ?) ON CONFLICT(namespace, key) DO NOTHING",
  reassign:
    "UPDATE manifest SET id = ?, staging = ?, assigned_ms = ?, size = NULL, sha256 = NULL " +
    `${BY_KEY} AND status = 0 AND status = ? AND id IS ?`,
  record: "UPDATE manifest SET size = ?, sha256 = unhex(?) " +
    `${BY_KEY} AND status = 0 AND id = ?`,
  publish:
    "UPDATE manifest SET status = 1, staging = NULL, assigned_ms = NULL, " +
    "size = ?, sha256 = unhex(?), created_ms = ?, accessed_ms = ? " +
    `${BY_KEY} AND status = 0 AND id = ?`,
  complete: "UPDATE manifest SET id = ?, size = ?, sha256 = unhex(?), " +
    "created_ms = ?, accessed_ms = ? " +
    `${BY_KEY} AND status = 1 AND (sha256 IS NULL OR size IS NULL)`,
  evict: "UPDATE manifest SET status = 2, assigned_ms = ? " +
    `${BY_KEY} AND status = 1 AND id IS ?`,
  remove: `DELETE FROM manifest ${BY_KEY} AND status = ? AND id IS ?`,
  unsettled: `SELECT ${FOUND} FROM manifest WHERE ${AFTER_CURSOR}`,
  stale: `SELECT ${FOUND} FROM manifest ` +
    `WHERE status = 0 AND assigned_ms < ? AND ${AFTER_CURSOR}`,
  names:
    "SELECT CAST(key AS BLOB) FROM manifest WHERE namespace = ? AND key > ? " +
    "ORDER BY key LIMIT ?",
} as const;

type Name = keyof typeof SQL;

/** Applies operations to an open manifest. */
export class ManifestRows {
  readonly #statements: { readonly [name in Name]: Statement };

  /** Compiles every statement once. */
  constructor(database: Database) {
    const compiled = Object.entries(SQL).map((
      [name, sql],
    ) => [name, database.prepare(sql)]);
    this.#statements = Object.fromEntries(compiled);
  }

  /** Applies one operation; `key` is empty where the operation has none. */
  apply(operation: Operation, key: Uint8Array): Outcome {
    const sql = this.#statements;
    switch (operation[0]) {
      case "find": {
        return this.#find(operation[1], key);
      }
      case "findId": {
        const row = sql.findId.get(BigInt(operation[1]));
        return row ? foundRow(row) : null;
      }
      case "claim": {
        const [, namespace, , id, staging, nowMs] = operation;
        const made = sql.claim.run(namespace, key, BigInt(id), staging, nowMs);
        return made > 0 || this.#find(namespace, key);
      }
      case "reassign": {
        const [, namespace, , status, from, id, staging, nowMs] = operation;
        return sql.reassign.run(
              BigInt(id),
              staging,
              nowMs,
              namespace,
              key,
              status,
              integer(from),
            ) > 0 || this.#find(namespace, key);
      }
      case "record": {
        const [, namespace, , id, size, sha256] = operation;
        return sql.record.run(size, sha256, namespace, key, BigInt(id)) > 0;
      }
      case "publish": {
        const [, namespace, , id, size, sha256, nowMs] = operation;
        return sql.publish.run(
          size,
          sha256,
          nowMs,
          nowMs,
          namespace,
          key,
          BigInt(id),
        ) > 0;
      }
      case "complete": {
        const [, namespace, , id, size, sha256, nowMs] = operation;
        return sql.complete.run(
          BigInt(id),
          size,
          sha256,
          nowMs,
          nowMs,
          namespace,
          key,
        ) > 0;
      }
      case "evict": {
        const [, namespace, , id, nowMs] = operation;
        return sql.evict.run(nowMs, namespace, key, integer(id)) > 0;
      }
      case "remove": {
        const [, namespace, , status, id] = operation;
        return sql.remove.run(namespace, key, status, integer(id)) > 0;
      }
      case "unsettled": {
        const [sinceMs, rowid] = position(operation[1]);
        return rowPage(sql.unsettled.all(sinceMs, rowid, PAGE_ROWS));
      }
      case "stale": {
        const [sinceMs, rowid] = position(operation[2]);
        return rowPage(
          sql.stale.all(operation[1], sinceMs, rowid, PAGE_ROWS),
        );
      }
      case "names": {
        return this.#names(operation[1], operation[2]);
      }
    }
  }

  #find(namespace: string, key: Uint8Array): RowState | null {
    const row = this.#statements.find.get(namespace, key);
    return row ? rowState(row, 0) : null;
  }

  #names(namespace: string, cursor: string | null): PageOf<string> {
    // Text sorts before every blob: the empty text starts with the empty key.
    const after = cursor === null ? "" : Uint8Array.fromHex(cursor);
    const keys = this.#statements.names.all(namespace, after, PAGE_ROWS)
      .map((row) => row[0] as Uint8Array);
    const last = keys.length === PAGE_ROWS ? keys.at(-1) : undefined;
    return {
      items: keys.map((key) => sha256Hex(key)),
      cursor: last?.toHex() ?? null,
    };
  }
}

function integer(id: string | null): bigint | null {
  return id === null ? null : BigInt(id);
}

/** A cursor is the position of the last row of its page: `assigned_ms:rowid`. */
function position(cursor: string | null): [sinceMs: bigint, rowid: bigint] {
  if (cursor === null) return [-1n, -1n];
  const [sinceMs = "", rowid = ""] = cursor.split(":");
  return [BigInt(sinceMs), BigInt(rowid)];
}

function rowPage(rows: Values[]): PageOf<FoundRow> {
  const last = rows.length === PAGE_ROWS ? rows.at(-1) : undefined;
  return {
    items: rows.map(foundRow),
    cursor: last ? `${last[0]}:${last[1]}` : null,
  };
}

function foundRow(row: Values): FoundRow {
  const key = row[3] as Uint8Array;
  return {
    namespace: String(row[2]),
    key,
    hash: sha256Hex(key),
    state: rowState(row, 4),
  };
}

function rowState(row: Values, at: number): RowState {
  const status = Number(row[at]);
  return [
    status === STATUS.loading || status === STATUS.ready
      ? status
      : STATUS.evicting,
    text(row[at + 1]),
    text(row[at + 2]),
    number(row[at + 3]),
    text(row[at + 4]),
  ];
}

function text(value: Value | undefined): string | null {
  return value === null || value === undefined ? null : String(value);
}

function number(value: Value | undefined): number | null {
  return value === null || value === undefined ? null : Number(value);
}
