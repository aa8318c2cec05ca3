/**
 * A batch is one transaction: it is answered after its commit, or rolled back
 * as a whole.
 *
 * @module
 */

import type {
  FromManifestWorker,
  Operation,
  Outcome,
} from "./manifest_protocol.ts";
import { ManifestRows } from "./manifest_rows.ts";
import { messageOf } from "./manifest_refusal.ts";
import { type Database, sqliteFault, type Statement } from "./sqlite.ts";

/** Operations that change nothing; a batch of only these takes no write lock. */
const READS: ReadonlySet<Operation[0]> = new Set<Operation[0]>(
  [
    ...["find", "findId", "unsettled", "stale", "names"] as const,
    ...["usage", "oldest", "unmeasured", "list", "stat"] as const,
  ],
);

const NO_KEY: Uint8Array = new Uint8Array(0);

/** Runs batches on an open manifest. */
export class ManifestSession {
  readonly #database: Database;
  readonly #rows: ManifestRows;
  readonly #beginRead: Statement;
  readonly #beginWrite: Statement;
  readonly #commit: Statement;

  /** Takes the database over. */
  constructor(database: Database) {
    this.#database = database;
    this.#rows = new ManifestRows(database);
    this.#beginRead = database.prepare("BEGIN");
    this.#beginWrite = database.prepare("BEGIN IMMEDIATE");
    this.#commit = database.prepare("COMMIT");
  }

  /** Runs a batch and commits it, or rolls it back. */
  run(operations: readonly Operation[], keys: Uint8Array): FromManifestWorker {
    try {
      const reads = operations.every((operation) => READS.has(operation[0]));
      (reads ? this.#beginRead : this.#beginWrite).run();
      const outcomes = this.#apply(operations, keys);
      this.#commit.run();
      return { kind: "done", outcomes };
    } catch (error) {
      // A transaction that cannot be rolled back ends this worker: no catch.
      if (this.#database.inTransaction) this.#database.run("ROLLBACK");
      const fault = sqliteFault(error);
      return {
        kind: "failed",
        fault: fault === "full" ? "full" : "failed",
        message: fault === "damaged"
          ? `the manifest is damaged (${messageOf(error)}): stop the server ` +
            "and run `larder recover ROOT`"
          : messageOf(error),
      };
    }
  }

  #apply(operations: readonly Operation[], keys: Uint8Array): Outcome[] {
    const outcomes: Outcome[] = [];
    let offset = 0;
    for (const operation of operations) {
      let key = NO_KEY;
      if (hasKey(operation)) {
        key = keys.subarray(offset, offset += operation[2]);
      }
      outcomes.push(this.#applyOne(operation, key));
    }
    return outcomes;
  }

  /**
   * A broken constraint, or a parameter that cannot be bound, undoes its own
   * statement only: its neighbours in the batch have nothing to do with it.
   */
  #applyOne(operation: Operation, key: Uint8Array): Outcome {
    try {
      return this.#rows.apply(operation, key);
    } catch (error) {
      const fault = sqliteFault(error);
      if (fault !== undefined && fault !== "constraint") throw error;
      return { fault: messageOf(error) };
    }
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

function hasKey(
  operation: Operation,
): operation is Extract<
  Operation,
  readonly [string, unknown, number, ...unknown[]]
> {
  return typeof operation[2] === "number";
}
