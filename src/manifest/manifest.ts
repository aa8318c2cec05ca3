/**
 * The manifest: which entries there are, who works on them, what verifies
 * their blobs. Async and narrow, so that a shared database can implement it.
 *
 * @module
 */

import type { Assignment, Digest, EntryKey, Id, Row } from "../table/types.ts";

/** Which row a change is meant for: it must be as the caller knows it. */
export interface Expected {
  /** The status the row must have. */
  readonly status: Row["status"];
  /** The id it must have; `undefined` for the rows of the original server that have none. */
  readonly id: Id | undefined;
}

/** A page of rows. */
export interface Page<T> {
  /** The rows of this page. */
  readonly items: readonly T[];
  /** Where the next page starts; absent on the last. */
  readonly cursor?: string;
}

/**
 * The rows, with compare-and-set transitions. Every promise settles only when
 * its change survives a killed process; it rejects with a `LarderError`
 * (`manifest-failed`, `storage-full` or `overloaded`) when nothing was changed.
 * Operations of one caller take effect in the order of the calls.
 */
export interface Manifest extends AsyncDisposable {
  /** True when the root had been served before this opening. */
  readonly servedBefore: boolean;
  /** The row of an entry. */
  find(entry: EntryKey): Promise<Row | undefined>;
  /** The row that carries an id: a loading or a ready one. */
  findId(id: Id): Promise<Row | undefined>;
  /** Inserts a loading row; where there is a row already, returns that instead. */
  claim(entry: EntryKey, assignment: Assignment): Promise<Row | undefined>;
  /**
   * Gives a loading row to another assignment. Resolves with `true`, or with
   * the row that is there instead (`undefined`: none).
   */
  reassign(
    entry: EntryKey,
    expected: Expected,
    assignment: Assignment,
  ): Promise<true | Row | undefined>;
  /** Writes a captured file's digest to its loading row. False: it is not as expected. */
  record(entry: EntryKey, id: Id, digest: Digest): Promise<boolean>;
  /** Makes the loading row of `id` ready. False: it is not as expected. */
  publish(entry: EntryKey, id: Id, digest: Digest): Promise<boolean>;
  /** Gives a ready row of the original server its id and digest. False: it has them already. */
  complete(entry: EntryKey, id: Id, digest: Digest): Promise<boolean>;
  /** Makes a ready row evicting. False: it is not as expected. */
  evict(entry: EntryKey, id: Id | undefined): Promise<boolean>;
  /** Removes a row. False: it is not as expected. */
  remove(entry: EntryKey, expected: Expected): Promise<boolean>;
  /** The rows that are not ready, a page at a time. */
  unsettled(cursor?: string): Promise<Page<Row>>;
  /** Loading rows whose assignment was made or restored before this time, a page at a time. */
  stale(beforeWallMs: number, cursor?: string): Promise<Page<Row>>;
  /** The blob names (64 hex digits) of a namespace's rows, a page at a time. */
  names(namespace: string, cursor?: string): Promise<Page<string>>;
  /** Writes what is pending, closes the store; idempotent. */
  close(): Promise<void>;
}
