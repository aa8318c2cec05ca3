/**
 * Opens `cache.sqlite`: refuses what is not ours, and brings the table of the
 * original server to the form we need without changing what it knows.
 *
 * @module
 */

import type { Durability } from "./manifest_protocol.ts";
import { keepUsage } from "./manifest_usage.ts";
import { Database, sqliteFault } from "./sqlite.ts";

/** The manifest's file, below the root. */
export const MANIFEST_FILE = "cache.sqlite";

/** Our form of the table; the original server leaves `user_version` at 0. */
export const SCHEMA_VERSION = 2;

/** The original's form: what it inserts into and reads. */
const ORIGINAL_TABLE =
  "CREATE TABLE manifest(namespace TEXT, key BLOB NOT NULL, status INTEGER, PRIMARY KEY(namespace, key))";
const ORIGINAL_COLUMNS = ["namespace", "key", "status"];

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
];

/** Another process may look at the file for this long; then the batch fails. */
const BUSY_TIMEOUT_MS = 300;
/** Pages kept in memory. A miss is a read from the page cache: not worth more. */
const CACHE_KIB = 8 * 1024;
/** The WAL is copied back after this many pages of 4 KiB, … */
const CHECKPOINT_PAGES = 1_000;
/** … and cut to this, should one transaction have made it larger. */
const WAL_LIMIT_BYTES = 8 * 1024 * 1024;

/** A root that cannot be served; the message says what to do. */
export class RefusedError extends Error {
  override name = "RefusedError";
}

/** An open manifest. */
export interface OpenedManifest {
  readonly database: Database;
  /** Whether the table was there before. */
  readonly servedBefore: boolean;
}

/** Opens the manifest of a root and migrates it. Throws a {@linkcode RefusedError}. */
export function openManifest(
  root: string,
  { durability, nowMs }: { durability: Durability; nowMs: number },
): OpenedManifest {
  const path = `${root}/${MANIFEST_FILE}`;
  refuseForeignFiles(path);
  let database: Database | undefined;
  try {
    database = new Database(path, { busyTimeoutMs: BUSY_TIMEOUT_MS });
    refuseNewerSchema(database, path);
    configure(database, durability);
    const servedBefore = migrate(database, path, nowMs);
    return { database, servedBefore };
  } catch (error) {
    database?.close();
    if (error instanceof RefusedError) throw error;
    throw new RefusedError(explain(error, path), { cause: error });
  }
}

/**
 * Path permissions follow symlinks and so does SQLite: whoever can place one
 * in the root could have us write elsewhere.
 */
function refuseForeignFiles(path: string): void {
  for (const suffix of ["", "-wal", "-shm", "-journal"]) {
    const file = path + suffix;
    let info: Deno.FileInfo;
    try {
      info = Deno.lstatSync(file);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      throw new RefusedError(`Cannot open ${file}: ${messageOf(error)}`);
    }
    if (info.isFile) continue;
    const what = info.isSymlink ? "a symbolic link" : "not a regular file";
    throw new RefusedError(
      `Cannot open ${file}: it is ${what}; move it aside and start again`,
    );
  }
}

/** Looks before anything is written, so that a newer server's file stays its own. */
function refuseNewerSchema(database: Database, path: string): void {
  const version = Number(database.value("PRAGMA user_version"));
  if (version <= SCHEMA_VERSION) return;
  throw new RefusedError(
    `Cannot open ${path}: a newer Larder wrote it (manifest version ${version}, ` +
      `this one knows ${SCHEMA_VERSION}); run that one, or use another root`,
  );
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
 * short, or a table that was made anew, is completed. Returns whether the
 * table was there before.
 */
function migrate(database: Database, path: string, nowMs: number): boolean {
  database.run("BEGIN IMMEDIATE");
  const present = names(database, "SELECT name FROM pragma_table_info(?)");
  const servedBefore = present.size > 0;
  if (servedBefore) {
    const missing = ORIGINAL_COLUMNS.filter((name) => !present.has(name));
    if (missing.length > 0) {
      throw new RefusedError(
        `Cannot open ${path}: its manifest has no column ${
          missing.join(", ")
        }; move it aside and start again`,
      );
    }
  } else {
    database.run(ORIGINAL_TABLE);
  }
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
  return servedBefore;
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

function explain(error: unknown, path: string): string {
  const reason = messageOf(error);
  switch (sqliteFault(error)) {
    case "damaged":
      return `${path} is damaged (${reason}): run \`larder recover ROOT\` ` +
        "to move it aside and start clean, or restore a copy";
    case "busy":
      return `Cannot open ${path}: another process holds it; stop that one first`;
    case "full":
      return `Cannot open ${path}: the disk is full; make room and start again`;
    default:
      return `Cannot open ${path}: ${reason}; check who owns it and its permissions`;
  }
}

/** An error's message, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
