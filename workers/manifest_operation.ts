/**
 * What an operation of the manifest is, and the common kinds of them: a change
 * of a row, and the look at one.
 *
 * @module
 */

import { type RowState, STATE, stateOf } from "./manifest_rows.ts";
import type { Statement, Value, Values } from "./sqlite.ts";

/** An operation: the one place that says how it is done. */
export interface Operation<A extends readonly unknown[], R> {
  /** Its statements. */
  readonly sql: readonly string[];
  /** It changes nothing: a batch of only these takes no write lock. */
  readonly reads: boolean;
  /** Does it with the compiled statements; `key` is empty where there is none. */
  run(statements: readonly Statement[], key: Uint8Array, args: A): R;
}

/** Selects a row by its key. */
export const BY_KEY = "WHERE namespace = :namespace AND key = :key";
/** Ids come in decimal, or null for rows of the original server. */
export const ID = "CAST(:id AS INTEGER)";

/** The parameters of a statement by their names, as numbers in this order. */
export function numbered(names: string, sql: string): string {
  const order = names.split(" ");
  return sql.replaceAll(/:(\w+)/g, (_, name) => {
    const at = order.indexOf(name);
    if (at < 0) throw new Error(`No parameter ${name}: ${sql}`);
    return `?${at + 1}`;
  });
}

/** Changes a row; whether it was as expected. `names`: of its parameters, after the key. */
export function change<A extends readonly Value[]>(
  names: string,
  sql: string,
): Operation<A, boolean> {
  return {
    sql: [numbered(`key ${names}`, sql)],
    reads: false,
    run: ([statement], key, args) => statement!.run(key, ...args) > 0,
  };
}

/** Changes a row, or gives the one that is there instead; null: there is none. */
export function changeOrFind<
  A extends readonly [namespace: string, ...Value[]],
>(
  names: string,
  sql: string,
): Operation<A, true | RowState | null> {
  const find = one(names.split(" ", 1).join(), FIND, stateOf);
  return {
    sql: [numbered(`key ${names}`, sql), ...find.sql],
    reads: false,
    run: ([change, ...rest], key, args) =>
      change!.run(key, ...args) > 0 || find.run(rest, key, [args[0]]),
  };
}

/** The row of a key. */
export const FIND = `SELECT ${STATE} FROM manifest ${BY_KEY}`;

/** Looks at one row; null: there is none. */
export function one<A extends readonly Value[], R>(
  names: string,
  sql: string,
  item: (row: Values) => R,
): Operation<A, R | null> {
  return {
    sql: [numbered(`key ${names}`, sql)],
    reads: true,
    run: ([statement], key, args) => {
      const row = statement!.get(key, ...args);
      return row ? item(row) : null;
    },
  };
}
