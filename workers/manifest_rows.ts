/**
 * The manifest's operations as SQL: each is one statement, or two where the
 * answer is the row that stood in the way.
 *
 * @module
 */

import { sha256Hex } from "./digest.ts";
import {
  agedKey,
  BEFORE_ALL,
  foundInfo,
  foundKey,
  foundRow,
  integer,
  page,
  position,
  rowInfo,
  rowState,
} from "./manifest_found.ts";
import type {
  FoundAged,
  FoundRow,
  Operation,
  Outcome,
  PackedUse,
  PageOf,
  RowState,
  Usage,
} from "./manifest_protocol.ts";
import { SQL } from "./manifest_sql.ts";
import type { Database, Statement, Values } from "./sqlite.ts";

/** Rows of a page: about a millisecond of work, which the next batch waits for. */
const PAGE_ROWS = 500;
/** Bytes of keys on a page of a listing: 500 of the longest are 32 MB. */
const PAGE_KEY_BYTES = 1024 * 1024;
/** A listing reads so many rows at once: of the longest keys a page. */
const LIST_ROWS = 16;

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
      case "grace": {
        sql.grace.run(operation[1]);
        return true;
      }
      case "renewed": {
        const [, namespace, , id] = operation;
        return sql.renewed.run(namespace, key, BigInt(id)) > 0;
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
        const [, namespace, cursor] = operation;
        return page(this.#byKey("names", namespace, cursor, PAGE_ROWS), {
          limit: PAGE_ROWS,
          item: (row) => sha256Hex(row[0] as Uint8Array),
          cursor: keyCursor,
        });
      }
      case "measure": {
        const [, namespace, , size, accessedMs] = operation;
        return sql.measure.run(size, accessedMs, namespace, key) > 0;
      }
      case "stat": {
        const row = sql.stat.get(operation[1], key);
        return row ? rowInfo(row, 0) : null;
      }
      case "touch": {
        this.#touch(operation[1], key);
        return true;
      }
      case "usage": {
        return sql.usage.all().map(([namespace, entries, bytes]): Usage => [
          String(namespace),
          Number(entries),
          Number(bytes),
        ]);
      }
      case "oldest": {
        return this.#oldest(operation);
      }
      case "unmeasured": {
        const rowid = integer(operation[1]) ?? BEFORE_ALL;
        return page(sql.unmeasured.all(rowid, PAGE_ROWS), {
          limit: PAGE_ROWS,
          item: (row) => foundKey(String(row[1]), row[2]),
          cursor: (row) => `${row[0]}`,
          end: () => sql.unmeasuredEnd.get(rowid),
        });
      }
      case "list": {
        const [, namespace, cursor, most] = operation;
        const limit = Math.min(most, PAGE_ROWS);
        const { rows, isLast } = this.#listed(namespace, cursor, limit);
        return page(rows, {
          limit: isLast ? Infinity : rows.length,
          item: (row) => foundInfo(namespace, row),
          cursor: keyCursor,
        });
      }
    }
  }

  #find(namespace: string, key: Uint8Array): RowState | null {
    const row = this.#statements.find.get(namespace, key);
    return row ? rowState(row, 0) : null;
  }

  #touch(uses: readonly PackedUse[], keys: Uint8Array): void {
    let offset = 0;
    for (const [namespace, keyBytes, accessedMs, handed] of uses) {
      const key = keys.subarray(offset, offset += keyBytes);
      const handedMs = handed ? accessedMs : null;
      this.#statements.touch.run(
        ...[accessedMs, accessedMs, handedMs, handedMs],
        namespace,
        key,
      );
    }
  }

  #oldest(
    [, namespace, cursor, most, handedBeforeMs]: Extract<
      Operation,
      readonly ["oldest", ...unknown[]]
    >,
  ): PageOf<FoundAged> {
    const sql = this.#statements;
    const limit = Math.min(most, PAGE_ROWS);
    const [atMs, rowid] = position(cursor);
    const after = [namespace, atMs, rowid, namespace, atMs];
    return page(sql.oldest.all(...after, handedBeforeMs, limit), {
      limit,
      item: (row) => agedKey(namespace, row),
      cursor: timeCursor,
      end: () => sql.oldestEnd.get(...after),
    });
  }

  /** The next rows of a namespace, as far as their keys fit a page. */
  #listed(
    namespace: string,
    cursor: string | null,
    limit: number,
  ): { rows: Values[]; isLast: boolean } {
    const rows: Values[] = [];
    let bytes = 0;
    let after = cursor;
    while (rows.length < limit) {
      const most = Math.min(LIST_ROWS, limit - rows.length);
      const found = this.#byKey("list", namespace, after, most);
      for (const row of found) {
        bytes += (row[0] as Uint8Array).length;
        if (rows.length > 0 && bytes > PAGE_KEY_BYTES) {
          return { rows, isLast: false };
        }
        rows.push(row);
      }
      if (found.length < most) return { rows, isLast: true };
      after = keyCursor(rows.at(-1)!);
    }
    return { rows, isLast: false };
  }

  #byKey(
    statement: "names" | "list",
    namespace: string,
    cursor: string | null,
    limit: number,
  ): Values[] {
    // Text sorts before every blob: the empty text starts with the empty key.
    const after = cursor === null ? "" : Uint8Array.fromHex(cursor);
    return this.#statements[statement].all(namespace, after, limit);
  }
}

function rowPage(rows: Values[]): PageOf<FoundRow> {
  return page(rows, { limit: PAGE_ROWS, item: foundRow, cursor: timeCursor });
}

function timeCursor(row: Values): string {
  return `${row[0]}:${row[1]}`;
}

function keyCursor(row: Values): string {
  return (row[0] as Uint8Array).toHex();
}
