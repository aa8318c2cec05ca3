/**
 * What must be true of a root when nobody serves it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { until } from "../support/status.ts";
import { hashOf } from "./values.ts";

/**
 * The rows, of which the database itself says that it is whole. It is a copy
 * that is looked at: opening and closing the original would do the recovery of
 * the write-ahead log that the server is to do.
 */
export function rowsOf(
  root: string,
): { readonly name: string; readonly status: number }[] {
  const copy = Deno.makeTempDirSync({ prefix: "larder-rows-" });
  try {
    for (const { name } of Deno.readDirSync(root)) {
      if (!/^cache\.sqlite(-wal)?$/.test(name)) continue;
      Deno.copyFileSync(`${root}/${name}`, `${copy}/${name}`);
    }
    using database = new DatabaseSync(`${copy}/cache.sqlite`);
    const checked = database.prepare("PRAGMA integrity_check").all();
    assert.deepEqual(checked.map((row) => row["integrity_check"]), ["ok"]);
    return database.prepare("SELECT namespace, key, status FROM manifest")
      .all().map(({ namespace, key, status }) => ({
        name: `${namespace}/${hashOf(key as Uint8Array)}`,
        status: Number(status),
      }));
  } finally {
    Deno.removeSync(copy, { recursive: true });
  }
}

/** The files of a folder under the root; none where there is no such folder. */
export function filesOf(root: string, folder: string): string[] {
  try {
    return Array.from(
      Deno.readDirSync(`${root}/${folder}`),
      ({ name }) => `${folder}/${name}`,
    );
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** The files that are values, by name. */
export function blobsOf(root: string): string[] {
  return Array.from(Deno.readDirSync(root))
    .filter(({ name, isDirectory }) => isDirectory && !name.startsWith("."))
    .flatMap(({ name }) => filesOf(root, name));
}

/** After all work was published: each row has its file, and there is no other. */
export function assertTidy(root: string): void {
  const rows = rowsOf(root);
  assert.deepEqual(rows.filter(({ status }) => status !== 1), []);
  assert.deepEqual(blobsOf(root).sort(), rows.map(({ name }) => name).sort());
  assert.deepEqual(filesOf(root, ".staging"), []);
  assert.deepEqual(filesOf(root, ".private"), []);
}

/** Waits until a running server has swept what no row owns. */
export async function withoutUnowned(root: string): Promise<void> {
  await until(
    () => Promise.resolve(blobsOf(root).length - rowsOf(root).length),
    (unowned) => unowned === 0,
  );
}
