/**
 * Opens `cache.sqlite`: refuses what is not ours, and brings the table of the
 * original server to the form we need without changing what it knows.
 *
 * @module
 */

import { isCopyOnWrite } from "./copy_on_write.ts";
import { checkManifest, checkOpen, SCHEMA_VERSION } from "./manifest_check.ts";
import type { Durability, Makes } from "./manifest_protocol.ts";
import { explain, RefusedError } from "./manifest_refusal.ts";
import { keepUsage } from "./manifest_usage.ts";
import { whyNoManifest } from "./root_contents.ts";
import { MANIFEST_FILE } from "./root_names.ts";
import { Database } from "./sqlite.ts";

/** The original's form: what it inserts into and reads. */
const ORIGINAL_TABLE =
  "CREATE TABLE manifest(namespace TEXT, key BLOB NOT NULL, status INTEGER, PRIMARY KEY(namespace, key))";

/** Ours. Nullable and without a default: the original's INSERT names three columns. */
const ADDED_COLUMNS: readonly (readonly [name: string, type: string])[] = [
  ["id", "INTEGER"],
  // The staging file's name, while loading.
  ["staging", "TEXT"],
  ["size", "INTEGER"],
  ["sha256", "BLOB"],
  // Since when the row is loading under this id, or evicting; null when ready.
  ["assigned_ms", "INTEGER"],
  // When it was published, and used last.
  ["created_ms", "INTEGER"],
  ["accessed_ms", "INTEGER"],
  // When a path to it was given out last.
  ["handed_ms", "INTEGER"],
  // While loading: when the grace ends that a start gave it; null when its
  // holder was heard since, or there was no start.
  ["grace_ms", "INTEGER"],
  // For how long the value is kept after it was published; null: for ever.
  ["ttl_ms", "INTEGER"],
  // What computing it took: from the assignment until it was published.
  ["computed_ms", "INTEGER"],
  // The name of whose the id is; null: of somebody without one.
  ["owner", "TEXT"],
];

/**
 * All are partial, so that they are empty on a root of the original: making
 * them reads the table once, and opening it later reads only what is unsettled.
 */
const INDEXES: readonly (readonly [name: string, definition: string])[] = [
  [
    "manifest_id",
    "CREATE UNIQUE INDEX manifest_id ON manifest(id) WHERE id IS NOT NULL",
  ],
  [
    "manifest_unsettled",
    "CREATE INDEX manifest_unsettled ON manifest(assigned_ms) WHERE status IS NOT 1",
  ],
  [
    "manifest_oldest",
    "CREATE INDEX manifest_oldest ON manifest(namespace, accessed_ms) " +
    "WHERE accessed_ms IS NOT NULL AND status = 1",
  ],
  // Of all namespaces together, so that many of them are one question.
  [
    "manifest_age",
    "CREATE INDEX manifest_age ON manifest(accessed_ms) " +
    "WHERE accessed_ms IS NOT NULL AND status = 1",
  ],
  // Of what has a time to live only, which is little or nothing.
  [
    "manifest_expiry",
    "CREATE INDEX manifest_expiry ON manifest(created_ms + ttl_ms) " +
    "WHERE ttl_ms IS NOT NULL AND status = 1",
  ],
];

/** Another process may look at the file for this long; then the batch fails. */
const BUSY_TIMEOUT_MS = 300;
/** Pages kept in memory. A miss is a read from the page cache: not worth more. */
const CACHE_KIB = 8 * 1024;
/** The WAL is copied back after this many pages of 4 KiB, … */
const CHECKPOINT_PAGES = 1_000;
/** … and cut to this, should one transaction have made it larger. */
const WAL_LIMIT_BYTES = 8 * 1024 * 1024;

/** An open manifest. */
export interface OpenedManifest {
  readonly database: Database;
  /** Whether the table was there before. */
  readonly servedBefore: boolean;
}

/**
 * Opens the manifest of a root and migrates it, or makes it where one may be
 * made. Throws a {@linkcode RefusedError}, and then nothing has been written.
 */
export function openManifest(
  root: string,
  { durability, nowMs, makes = "anywhere" }: {
    readonly durability: Durability;
    readonly nowMs: number;
    readonly makes?: Makes;
  },
): OpenedManifest {
  const path = `${root}/${MANIFEST_FILE}`;
  let database: Database | undefined;
  try {
    const busyTimeoutMs = BUSY_TIMEOUT_MS;
    const isNew = checkManifest(path, { busyTimeoutMs }) !== "manifest";
    if (isNew) refuseToMake(root, makes);
    database = new Database(path, { busyTimeoutMs });
    if (isCopyOnWrite(root)) keepIndexInMemory(database);
    // Again: to open it may have undone a transaction that was cut off.
    checkOpen(database, path);
    configure(database, durability);
    migrate(database, { isNew, nowMs });
    if (isNew) settle(database);
    return { database, servedBefore: !isNew };
  } catch (error) {
    database?.close();
    if (error instanceof RefusedError) throw error;
    throw new RefusedError(explain(error, path), { cause: error });
  }
}

function refuseToMake(root: string, makes: Makes): void {
  const refusal = makes === "never"
    ? `${root}/${MANIFEST_FILE} has vanished: stop the server and put it back`
    : makes === "where-fresh"
    ? whyNoManifest(root)
    : undefined;
  if (refusal !== undefined) throw new RefusedError(refusal);
}

/**
 * Before the first look at the file: then SQLite maps no file of the root, but
 * nobody else can open the manifest while it is served. Elsewhere the file of the
 * index has its room from the start, and people may look at the manifest.
 */
function keepIndexInMemory(database: Database): void {
  database.run("PRAGMA locking_mode = EXCLUSIVE");
}

function configure(database: Database, durability: Durability): void {
  database.run("PRAGMA journal_mode = WAL");
  database.run(
    `PRAGMA synchronous = ${durability === "strict" ? "FULL" : "NORMAL"}`,
  );
  database.run(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  database.run(`PRAGMA journal_size_limit = ${WAL_LIMIT_BYTES}`);
  database.run(`PRAGMA cache_size = -${CACHE_KIB}`);
  // Nothing of ours belongs into the machine's temporary folder.
  database.run("PRAGMA temp_store = MEMORY");
}

/**
 * Adds what is missing, whatever the version says: a migration that was cut
 * short, or a table that was made anew, is completed.
 */
function migrate(
  database: Database,
  { isNew, nowMs }: { readonly isNew: boolean; readonly nowMs: number },
): void {
  database.run("BEGIN IMMEDIATE");
  if (isNew) database.run(ORIGINAL_TABLE);
  const present = names(database, "SELECT name FROM pragma_table_info(?)");
  for (const [name, type] of ADDED_COLUMNS) {
    if (present.has(name)) continue;
    database.run(`ALTER TABLE manifest ADD COLUMN ${name} ${type}`);
  }
  const indexes = names(database, "SELECT name FROM pragma_index_list(?)");
  for (const [name, definition] of INDEXES) {
    if (!indexes.has(name)) database.run(definition);
  }
  keepUsage(database, { sized: present.has("size") });
  adoptForeignRows(database, nowMs);
  if (Number(database.value("PRAGMA user_version")) !== SCHEMA_VERSION) {
    database.run(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  }
  database.run("COMMIT");
}

/**
 * Puts a new manifest on the disk, whatever the mode: after a power cut a root
 * that holds values and no manifest would be taken for one that has lost it.
 */
function settle(database: Database): void {
  database.run("PRAGMA wal_checkpoint(TRUNCATE)");
}

/**
 * Rows that others left unsettled carry no time: they count as assigned now.
 * The original panics on a status it does not know, so none may stay; evicting
 * is the one that ends in the row's removal.
 */
function adoptForeignRows(database: Database, nowMs: number): void {
  database.prepare(
    `UPDATE manifest
     SET assigned_ms = ?, status = CASE WHEN status IN (0, 2) THEN status ELSE 2 END
     WHERE status IS NOT 1 AND assigned_ms IS NULL`,
  ).run(nowMs);
}

function names(database: Database, sql: string): Set<string> {
  return new Set(
    database.prepare(sql).all("manifest").map((row) => `${row[0]}`),
  );
}
