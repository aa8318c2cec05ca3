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
  expiredKey,
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
import type { Database, Statement, Value, Values } from "./sqlite.ts";

/** Rows of a page: about a millisecond of work, which the next batch waits for. */
const PAGE_ROWS = 500;
/** Sorts after every text. */
const AFTER_ALL_TEXT = new Uint8Array(0);

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
        const [, namespace, , id, staging, ttlMs, nowMs] = operation;
        const made = sql.claim.run(
          namespace,
          key,
          BigInt(id),
          staging,
          ttlMs,
          nowMs,
        );
        return made > 0 || this.#find(namespace, key);
      }
      case "reassign": {
        const [, namespace, , status, from, id, staging, ttlMs, nowMs] =
          operation;
        return sql.reassign.run(
              BigInt(id),
              staging,
              ttlMs,
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
          nowMs,
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
        return rowPage(
          operation[1],
          (after, most) => sql.unsettled.all(...position(after), most),
        );
      }
      case "stale": {
        const [, beforeMs, cursor] = operation;
        return rowPage(
          cursor,
          (after, most) => sql.stale.all(beforeMs, ...position(after), most),
        );
      }
      case "names": {
        const [, namespace, cursor] = operation;
        return page({
          after: cursor,
          limit: PAGE_ROWS,
          find: (after, most) => this.#byKey("names", namespace, after, most),
          key: 0,
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
        const [, limit, after] = operation;
        return sql.usage.all(after ?? "", limit).map((
          [namespace, entries, bytes],
        ): Usage => [String(namespace), Number(entries), Number(bytes)]);
      }
      case "expired": {
        const [, beforeMs, cursor] = operation;
        return page({
          after: cursor,
          limit: PAGE_ROWS,
          find: (after, most) =>
            sql.expired.all(beforeMs, ...position(after), most),
          key: 3,
          item: expiredKey,
          cursor: timeCursor,
        });
      }
      case "oldest": {
        return this.#oldest(operation);
      }
      case "unmeasured": {
        const rowid = (after: string | null) => integer(after) ?? BEFORE_ALL;
        return page({
          after: operation[1],
          limit: PAGE_ROWS,
          find: (after, most) => sql.unmeasured.all(rowid(after), most),
          key: 2,
          item: (row) => foundKey(String(row[1]), row[2]),
          cursor: (row) => `${row[0]}`,
          end: (after) => sql.unmeasuredEnd.get(rowid(after)),
        });
      }
      case "list": {
        const [, namespace, cursor, limit] = operation;
        return page({
          after: cursor,
          limit: Math.min(limit, PAGE_ROWS),
          find: (after, most) => this.#byKey("list", namespace, after, most),
          key: 0,
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
    [, pattern, cursor, limit, keyBytes, handedBeforeMs]: Extract<
      Operation,
      readonly ["oldest", ...unknown[]]
    >,
  ): PageOf<FoundAged> {
    const sql = this.#statements;
    const range = rangeOf(pattern);
    const start = (after: string | null): Value[] => {
      const [atMs, rowid] = position(after);
      return range
        ? [atMs, rowid, atMs]
        : [pattern, atMs, rowid, pattern, atMs];
    };
    return page({
      after: cursor,
      limit: Math.min(limit, PAGE_ROWS),
      keyBytes,
      find: (after, most) =>
        range
          ? sql.oldestOfAll.all(...start(after), handedBeforeMs, ...range, most)
          : sql.oldest.all(...start(after), handedBeforeMs, most),
      key: 3,
      item: agedKey,
      cursor: timeCursor,
      end: (after) =>
        (range ? sql.oldestOfAllEnd : sql.oldestEnd).get(...start(after)),
    });
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

/** Between what the namespaces of a pattern lie; absent: it is a namespace. */
function rangeOf(pattern: string): [from: Value, to: Value] | undefined {
  if (pattern === "*") return ["", AFTER_ALL_TEXT];
  if (!pattern.endsWith(".*")) return undefined;
  // In the order of bytes "/" is next to ".".
  const prefix = pattern.slice(0, -2);
  return [`${prefix}.`, `${prefix}/`];
}

function rowPage(
  after: string | null,
  find: (after: string | null, most: number) => Values[],
): PageOf<FoundRow> {
  return page({
    after,
    limit: PAGE_ROWS,
    find,
    key: 3,
    item: foundRow,
    cursor: timeCursor,
  });
}

function timeCursor(row: Values): string {
  return `${row[0]}:${row[1]}`;
}

function keyCursor(row: Values): string {
  return (row[0] as Uint8Array).toHex();
}
