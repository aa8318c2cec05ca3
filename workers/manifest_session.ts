/**
 * A batch is one transaction: it is answered after its commit, or rolled back
 * as a whole.
 *
 * @module
 */

import { OPERATIONS } from "./manifest_operations.ts";
import type {
  FromManifestWorker,
  Outcome,
  PackedOperation,
} from "./manifest_protocol.ts";
import { messageOf, OVER_QUOTA, whyNotWritten } from "./manifest_refusal.ts";
import { type Database, sqliteFault, type Statement } from "./sqlite.ts";

/** What every operation is, but for its types. */
interface Compiled {
  readonly reads: boolean;
  run(key: Uint8Array, args: readonly unknown[]): Outcome;
}

/** Runs batches on an open manifest. */
export class ManifestSession {
  readonly #database: Database;
  readonly #operations: ReadonlyMap<string, Compiled>;
  readonly #beginRead: Statement;
  readonly #beginWrite: Statement;
  readonly #commit: Statement;
  readonly #isQuotaUsedUp: () => boolean;

  /** Takes the database over; `isQuotaUsedUp` is asked where SQLite says too little. */
  constructor(database: Database, isQuotaUsedUp: () => boolean = () => false) {
    this.#database = database;
    this.#isQuotaUsedUp = isQuotaUsedUp;
    this.#operations = compile(database);
    this.#beginRead = database.prepare("BEGIN");
    this.#beginWrite = database.prepare("BEGIN IMMEDIATE");
    this.#commit = database.prepare("COMMIT");
  }

  /** Runs a batch and commits it, or rolls it back. */
  run(
    operations: readonly PackedOperation[],
    keys: Uint8Array,
  ): FromManifestWorker {
    try {
      const reads = operations.every(([name]) => this.#named(name).reads);
      (reads ? this.#beginRead : this.#beginWrite).run();
      const outcomes = this.#apply(operations, keys);
      this.#commit.run();
      return { kind: "done", outcomes };
    } catch (error) {
      // A transaction that cannot be rolled back ends this worker: no catch.
      if (this.#database.inTransaction) this.#database.run("ROLLBACK");
      return this.#failure(error);
    }
  }

  #failure(error: unknown): FromManifestWorker {
    const fault = sqliteFault(error);
    if (fault === "io" && this.#isQuotaUsedUp()) {
      return { kind: "failed", fault: "full", message: OVER_QUOTA };
    }
    return {
      kind: "failed",
      fault: fault === "full" ? "full" : "failed",
      message: whyNotWritten(error),
    };
  }

  #apply(
    operations: readonly PackedOperation[],
    keys: Uint8Array,
  ): Outcome[] {
    let offset = 0;
    return operations.map(([name, keyBytes, ...args]) => {
      const key = keys.subarray(offset, offset += keyBytes);
      return this.#applyOne(this.#named(name), key, args);
    });
  }

  /**
   * A broken constraint, or a parameter that cannot be bound, undoes its own
   * statement only: its neighbours in the batch have nothing to do with it.
   */
  #applyOne(
    operation: Compiled,
    key: Uint8Array,
    args: readonly unknown[],
  ): Outcome {
    try {
      return operation.run(key, args);
    } catch (error) {
      const fault = sqliteFault(error);
      if (fault !== undefined && fault !== "constraint") throw error;
      return { fault: messageOf(error) };
    }
  }

  #named(name: string): Compiled {
    return this.#operations.get(name)!;
  }

  /** Copies the WAL back and closes the file. */
  close(): void {
    try {
      this.#database.run("PRAGMA wal_checkpoint(TRUNCATE)");
    } finally {
      this.#database.close();
    }
  }
}

/** Compiles every statement once. */
function compile(database: Database): ReadonlyMap<string, Compiled> {
  return new Map(
    Object.entries(OPERATIONS).map(([name, operation]) => {
      const { sql, reads } = operation;
      const statements = sql.map((text): Statement => database.prepare(text));
      const run = operation.run as (
        statements: readonly Statement[],
        key: Uint8Array,
        args: readonly unknown[],
      ) => Outcome;
      return [name, { reads, run: (key, args) => run(statements, key, args) }];
    }),
  );
}
