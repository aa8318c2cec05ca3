/**
 * The manifest: which entries there are, who works on them, what verifies
 * their blobs. Async and narrow, so that a shared database can implement it.
 *
 * @module
 */

import type { Page } from "../../workers/manifest_pages.ts";
import type { LarderError } from "../errors.ts";
import type {
  Assignment,
  Digest,
  EntryKey,
  Id,
  NamespaceUsage,
  Row,
} from "../table/types.ts";

export type { NamespaceUsage };
export type { Page };

/** Which row a change is meant for: it must be as the caller knows it. */
export interface Expected {
  /** The status the row must have. */
  readonly status: Row["status"];
  /** The id it must have; `undefined` for the rows of the original server that have none. */
  readonly id: Id | undefined;
}

/** A ready entry and when it was used last. */
export interface AgedEntry extends EntryKey {
  /** Length of its value in bytes; absent where nobody has measured it. */
  readonly size?: number;
  /** Wall clock. */
  readonly accessedMs: number;
}

/** A ready entry whose time to live is over. */
export interface ExpiredEntry extends EntryKey {
  /** Length of its value in bytes; absent where nobody has measured it. */
  readonly size?: number;
  /** When a path to it was given out last, by the wall clock; absent: never. */
  readonly handedMs?: number;
}

/** An entry for people to look at. */
export interface EntryInfo extends EntryKey {
  /** The status. */
  readonly status: Row["status"];
  /** Length of its value in bytes, as far as it is known. */
  readonly size?: number;
  /** SHA-256 of its value, lower-case hex, as far as it is known. */
  readonly sha256?: string;
  /** When it was published, by the wall clock. */
  readonly createdMs?: number;
  /** When it was used last, by the wall clock. */
  readonly accessedMs?: number;
  /** When its time to live is over, by the wall clock; absent: never. */
  readonly expiresMs?: number;
  /** What computing it took, as far as it is known. */
  readonly computedMs?: number;
}

/** A use of a ready entry. */
export interface Use {
  /** What was used. */
  readonly entry: EntryKey;
  /** Wall clock. */
  readonly accessedMs: number;
  /** A path to it was given out. */
  readonly handed: boolean;
}

/** Which page. */
export interface PageOptions {
  /** At most so many items; a page may hold fewer, even none, and not be the last. */
  readonly limit: number;
  /** Of the page before. */
  readonly cursor?: string;
}

/** Which page of the ready entries. */
export interface OldestOptions extends PageOptions {
  /** Bytes of their keys at most, on a page of more than one; at most 1 MiB. */
  readonly keyBytes?: number;
  /** Leaves out what was handed out at or after this time of the wall clock. */
  readonly handedBeforeMs?: number;
}

/**
 * Uses that one {@linkcode Manifest.touch} takes. Others wait behind it: some
 * 4 ms, and 20 ms among a million entries, where every use is of other pages.
 */
export const MAX_USES = 200;

/**
 * The rows, with compare-and-set transitions. Every promise settles only when
 * its change survives a killed process; it rejects with a `LarderError`
 * (`manifest-failed`, `storage-full` or `overloaded`) when nothing was changed.
 * Operations of one caller take effect in the order of the calls.
 */
export interface Manifest extends AsyncDisposable {
  /** True when the root had been served before this opening. */
  readonly servedBefore: boolean;
  /** Why no row can be written now, if so; absent where there is no disk. */
  readonly trouble?: LarderError | undefined;
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
  /**
   * Makes the loading row of `id` ready, used now, and handed out now where it
   * had a staging file; its time to live begins, and it took from its assignment
   * until now. False: it is not as expected.
   */
  publish(entry: EntryKey, id: Id, digest: Digest): Promise<boolean>;
  /**
   * Gives each loading row of ours that has none a grace, which ends then by
   * the wall clock: a start does that.
   */
  grace(endsMs: number): Promise<void>;
  /**
   * Takes the grace of a loading row away: its holder has been heard, and the
   * next start gives it a new one. False: it is not as expected.
   */
  renewed(entry: EntryKey, id: Id): Promise<boolean>;
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
  /**
   * What is ready, by namespace, in order of their names: exact, and at once
   * however many entries there are.
   */
  usage(): Promise<readonly NamespaceUsage[]>;
  /**
   * The same, a page at a time, and also of namespaces that hold other entries
   * only; a cursor is the name of the namespace before.
   */
  usagePage(options: PageOptions): Promise<Page<NamespaceUsage>>;
  /**
   * The ready entries of a namespace, of those below it (`a.b.*`) or of all
   * (`*`), least recently used first, a page at a time. For a pattern all
   * entries are looked through, those of other namespaces as well. Those without
   * an access time are left out: `measure` gives them one.
   */
  oldest(pattern: string, options: OldestOptions): Promise<Page<AgedEntry>>;
  /**
   * The ready entries whose time to live was over at this time of the wall
   * clock, the first ones first, a page at a time.
   */
  expired(atMs: number, cursor?: string): Promise<Page<ExpiredEntry>>;
  /**
   * Writes down uses, all in one transaction. Times never go back; entries
   * that are not ready are left alone. Rejects with a `RangeError` above
   * {@linkcode MAX_USES}: the caller splits them.
   */
  touch(uses: readonly Use[]): Promise<void>;
  /** Ready rows without a size or an access time (the original server's), a page at a time. */
  unmeasured(cursor?: string): Promise<Page<EntryKey>>;
  /**
   * Gives such a row what its file says, as far as the row does not know it.
   * The digest stays unknown. False: there is nothing to do.
   */
  measure(
    entry: EntryKey,
    found: { readonly size: number; readonly accessedMs: number },
  ): Promise<boolean>;
  /**
   * The entries of a namespace, of every status, by key, a page at a time; a
   * cursor is the key of the entry before, in hex, whether or not it is there.
   */
  list(namespace: string, options: PageOptions): Promise<Page<EntryInfo>>;
  /** One of them. */
  stat(entry: EntryKey): Promise<EntryInfo | undefined>;
  /** Writes what is pending, closes the store; idempotent. */
  close(): Promise<void>;
}
