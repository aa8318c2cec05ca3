/**
 * SQLite behind one file: whoever replaces the driver replaces this.
 * Integers come back as bigint (ids have 63 bits), rows as arrays.
 *
 * @module
 */

import { DatabaseSync, type StatementSync } from "node:sqlite";

/** A value as SQLite stores it. */
export type Value = null | number | bigint | string | Uint8Array;

/** A row's values in the order of the statement's columns. */
export type Values = Value[];

/** A prepared statement. */
export interface Statement {
  /** The first row. */
  get(...parameters: Value[]): Values | undefined;
  /** Every row. */
  all(...parameters: Value[]): Values[];
  /** Runs a statement that returns no rows; how many rows it changed. */
  run(...parameters: Value[]): number;
}

/** Why SQLite refused, as far as we act on it differently. */
export type SqliteFault =
  /** The one statement broke a constraint; its transaction goes on. */
  | "constraint"
  /** No room on the disk. */
  | "full"
  /** The file is not a database, or a broken one. */
  | "damaged"
  /** Another process holds a lock. */
  | "busy"
  /** The file was opened for reading, and needs more. */
  | "read-only"
  /** The system could not read or write; SQLite keeps to itself why. */
  | "io"
  /** Everything else. */
  | "failed";

/** An open database. Errors are the driver's: {@linkcode sqliteFault} reads them. */
export class Database implements Disposable {
  readonly #database: DatabaseSync;

  /** Opens a file, or creates it unless it is to be read only. */
  constructor(
    path: string,
    { busyTimeoutMs, readOnly = false }: {
      readonly busyTimeoutMs: number;
      readonly readOnly?: boolean;
    },
  ) {
    // A variable, not a literal: Deno's types lag behind what it knows.
    const options = {
      readBigInts: true,
      readOnly,
      returnArrays: true,
      timeout: busyTimeoutMs,
      // A label in double quotes is a name, never silently a string.
      enableDoubleQuotedStringLiterals: false,
    };
    this.#database = new DatabaseSync(path, options);
  }

  /** Compiles a statement; keep it, compiling costs more than running. */
  prepare(sql: string): Statement {
    return new PreparedStatement(this.#database.prepare(sql));
  }

  /** Compiles and runs a statement once. */
  run(sql: string): void {
    // `exec` loses the error code in Deno 2.9.6; a prepared statement keeps it.
    this.#database.prepare(sql).all();
  }

  /** Runs a statement and returns the first value of its first row. */
  value(sql: string): Value | undefined {
    return this.prepare(sql).get()?.[0];
  }

  /** Whether a transaction is open: some errors end it, most do not. */
  get inTransaction(): boolean {
    return this.#database.isTransaction;
  }

  /** Closes the file; the last connection takes the -wal with it. */
  close(): void {
    this.#database.close();
  }

  /** {@inheritDoc Database.close} */
  [Symbol.dispose](): void {
    this.close();
  }
}

class PreparedStatement implements Statement {
  readonly #statement: StatementSync;

  constructor(statement: StatementSync) {
    this.#statement = statement;
  }

  // The driver's types know rows as objects only; `returnArrays` makes arrays.
  get(...parameters: Value[]): Values | undefined {
    return this.#statement.get(...parameters) as unknown as Values | undefined;
  }

  all(...parameters: Value[]): Values[] {
    return this.#statement.all(...parameters) as unknown as Values[];
  }

  run(...parameters: Value[]): number {
    return Number(this.#statement.run(...parameters).changes);
  }
}

const SQLITE_BUSY = 5;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CONSTRAINT = 19;
const SQLITE_NOTADB = 26;

/** Reads an error of the driver; `undefined` when it is not SQLite's. */
export function sqliteFault(error: unknown): SqliteFault | undefined {
  if (!(error instanceof Error) || !("errcode" in error)) return undefined;
  if (typeof error.errcode !== "number") return undefined;
  // The low byte is the primary code, the rest says it more precisely.
  switch (error.errcode & 0xff) {
    case SQLITE_CONSTRAINT:
      return "constraint";
    case SQLITE_FULL:
      return "full";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "damaged";
    case SQLITE_BUSY:
      return "busy";
    case SQLITE_READONLY:
      return "read-only";
    case SQLITE_IOERR:
      return "io";
    default:
      return "failed";
  }
}
