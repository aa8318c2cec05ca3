/**
 * Roots for the manifest's tests: fresh ones, and such as others left behind.
 * What reads or writes them beside the manifest goes through SQLite, and only
 * while the manifest is closed: POSIX locks vanish with any descriptor.
 *
 * @module
 */

import { Database } from "../../../workers/sqlite.ts";

/** A folder of one test; it goes when the test does. */
export interface FreshRoot extends Disposable {
  /** Its absolute path. */
  readonly root: string;
}

/** Makes an empty root. */
export function freshRoot(): FreshRoot {
  const root = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "manifest_" }));
  return {
    root,
    [Symbol.dispose]: () => Deno.removeSync(root, { recursive: true }),
  };
}

/** Opens a root's manifest with plain SQL, as a foreign program would. */
export function openPlain(root: string): Database {
  return new Database(`${root}/cache.sqlite`, { busyTimeoutMs: 0 });
}

/** Makes the table as the original server does. */
export function makeOriginal(root: string): Database {
  const database = openPlain(root);
  database.run(
    "CREATE TABLE manifest(namespace TEXT, key BLOB NOT NULL, status INTEGER, PRIMARY KEY(namespace, key))",
  );
  return database;
}

/** How the original server makes a row. */
export const ORIGINAL_INSERT =
  "INSERT INTO manifest(namespace, key, status) VALUES(?, ?, ?)";
