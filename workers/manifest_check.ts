/**
 * Looks at a `cache.sqlite` before anything is written to it: only one with
 * the original's table is a manifest, any other stays byte for byte as it is.
 *
 * @module
 */

import { closeSync, lstatSync, openSync, readSync } from "node:fs";
import { RefusedError } from "./manifest_refusal.ts";
import { MANIFEST_SUFFIXES } from "./root_names.ts";
import { Database, sqliteFault } from "./sqlite.ts";

/** Our form of the table; the original server leaves `user_version` at 0. */
export const SCHEMA_VERSION = 4;

/** The original's columns, and their places in its primary key. */
const ORIGINAL_COLUMNS = new Map([["namespace", 1], ["key", 2], ["status", 0]]);

/** The definitions of a database's tables begin in its first page. */
const START_BYTES = 64 * 1024;
/** Where a journal says how many pages there were before. */
const JOURNAL_PAGES_AT = 16;

/** How a file was found. */
export type CheckedManifest =
  /** It has the original's table. */
  | "manifest"
  /** A database without a table, such as a start leaves that was killed. */
  | "blank"
  /** There is no file. */
  | "absent";

/** What it takes to look. */
export interface LookOptions {
  /** How long another process may have the file locked. */
  readonly busyTimeoutMs: number;
}

/**
 * What the file is. Throws a {@linkcode RefusedError} where it is somebody
 * else's or a newer server's, and SQLite's errors.
 */
export function checkManifest(
  path: string,
  options: LookOptions,
): CheckedManifest {
  refuseForeignFiles(path);
  if (!isThere(path)) return "absent";
  try {
    return lookInto(path, options, (database) => checkOpen(database, path));
  } catch (error) {
    if (sqliteFault(error) !== "read-only") throw error;
    // A transaction was cut off, and to read is to undo it.
    const text = startOf(path);
    if (/CREATE TABLE ["'`[]?manifest\b/i.test(text)) return "manifest";
    if (!/CREATE /i.test(text) && undoesAll(`${path}-journal`)) return "blank";
    throw foreign(path, "it has no table manifest");
  }
}

/**
 * Opens a file and closes it again, and leaves it and its log as they were. To
 * close a log that was left behind would end it, unless it was opened for
 * reading only; then SQLite leaves its index, which nobody needs.
 */
export function lookInto<T>(
  path: string,
  { busyTimeoutMs }: LookOptions,
  look: (database: Database) => T,
): T {
  const [wal, shm, journal] = MANIFEST_SUFFIXES.map((suffix) => path + suffix);
  const readOnly = isThere(wal!) || isThere(journal!);
  const hadIndex = isThere(shm!);
  try {
    using database = new Database(path, { busyTimeoutMs, readOnly });
    return look(database);
  } finally {
    if (readOnly && !hadIndex) removeIfThere(shm!);
  }
}

/**
 * Path permissions follow symlinks and so does SQLite: whoever can place one
 * in the root could have us write elsewhere.
 */
function refuseForeignFiles(path: string): void {
  for (const suffix of ["", ...MANIFEST_SUFFIXES]) {
    const file = path + suffix;
    const info = lstatSync(file, { throwIfNoEntry: false });
    if (!info || info.isFile()) continue;
    const what = info.isSymbolicLink()
      ? "a symbolic link"
      : "not a regular file";
    throw new RefusedError(
      `Cannot open ${file}: it is ${what}; move it aside and start again`,
    );
  }
}

/**
 * What the open file is; writes nothing. Throws a {@linkcode RefusedError}
 * where it is none of ours.
 */
export function checkOpen(
  database: Database,
  path: string,
): Exclude<CheckedManifest, "absent"> {
  const tables = database.prepare(
    "SELECT type FROM sqlite_schema WHERE name = 'manifest'",
  ).all();
  if (tables.length === 0) {
    if (isBlank(database)) return "blank";
    throw foreign(path, "it has no table manifest");
  }
  if (tables[0]![0] !== "table") throw foreign(path, "its manifest is a view");
  const columns = new Map(
    database.prepare("SELECT name, pk FROM pragma_table_info('manifest')").all()
      .map(([name, place]) => [`${name}`, Number(place)]),
  );
  refuseNewerSchema(database, path);
  const names = [...ORIGINAL_COLUMNS.keys()];
  const missing = names.filter((name) => !columns.has(name));
  if (missing.length > 0) {
    throw foreign(path, `its manifest has no column ${missing.join(", ")}`);
  }
  if (names.some((name) => columns.get(name) !== ORIGINAL_COLUMNS.get(name))) {
    throw foreign(path, "its manifest has another primary key");
  }
  return "manifest";
}

/** Nothing of anybody's: no table, and no mark of a program. */
function isBlank(database: Database): boolean {
  return database.value("SELECT count(*) FROM sqlite_schema") === 0n &&
    database.value("PRAGMA user_version") === 0n &&
    database.value("PRAGMA application_id") === 0n;
}

/** So that a newer server's file stays its own. */
function refuseNewerSchema(database: Database, path: string): void {
  const version = Number(database.value("PRAGMA user_version"));
  if (version <= SCHEMA_VERSION) return;
  throw new RefusedError(
    `Cannot open ${path}: a newer Larder wrote it (manifest version ${version}, ` +
      `this one knows ${SCHEMA_VERSION}); run that one, or use another root`,
  );
}

function foreign(path: string, why: string): RefusedError {
  return new RefusedError(
    `Cannot open ${path}: it is not Larder's (${why}); serve another root, ` +
      "or move it aside and start again",
  );
}

/** Whether a journal leads back to a database without a page. */
function undoesAll(journal: string): boolean {
  const pages = startOf(journal).slice(JOURNAL_PAGES_AT, JOURNAL_PAGES_AT + 4);
  return pages === "\0\0\0\0";
}

/** No connection of this process has the file open, whose locks would vanish. */
function startOf(path: string): string {
  const descriptor = openSync(path, "r");
  try {
    const start = new Uint8Array(START_BYTES);
    const length = readSync(descriptor, start, 0, START_BYTES, 0);
    return new TextDecoder("latin1").decode(start.subarray(0, length));
  } finally {
    closeSync(descriptor);
  }
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
