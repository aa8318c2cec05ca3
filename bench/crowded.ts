/**
 * A root with very many entries, and a server on it.
 *
 * Its manifest is Larder's own; the values have no files, which nobody looks for
 * before an entry is asked for.
 *
 * @module
 */

import { DatabaseSync } from "node:sqlite";
import { openManifest } from "../workers/manifest_schema.ts";
import { type ServerProcess, startLarder } from "./server_process.ts";

const NAMESPACES = 20;
const SIZE = 1024;
/** Used last some days ago, in an order that is not that of the keys. */
const DAYS_MS = 10 * 24 * 3_600_000;

/** Starts a server on a root of so many entries, which it makes in the folder. */
export async function startCrowded(
  folder: string,
  entries: number,
): Promise<ServerProcess> {
  const root = `${folder}/crowded`;
  buildRoot(root, entries);
  return await startLarder(root, { kind: "crowded" });
}

/** Makes a root of so many ready entries. */
export function buildRoot(root: string, entries: number): void {
  Deno.mkdirSync(root, { mode: 0o700 });
  const nowMs = Date.now();
  const durability = "relaxed";
  openManifest(root, { durability, nowMs }).database.close();
  {
    using database = new DatabaseSync(`${root}/cache.sqlite`);
    // Made again below: a row with all of them takes ten times as long.
    const dropped = database.prepare(
      "SELECT type, name FROM sqlite_schema WHERE sql IS NOT NULL AND " +
        "(type = 'index' OR type = 'trigger' OR name = 'larder_usage')",
    ).all();
    for (const { type, name } of dropped) {
      database.exec(`DROP ${type} IF EXISTS ${name}`);
    }
    const insert = database.prepare(`
      WITH RECURSIVE numbers(n) AS (
        SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < $each
      )
      INSERT INTO manifest(
        namespace, key, status, id, size, sha256, created_ms, accessed_ms
      )
      SELECT $namespace, CAST(printf('%08x', n) AS BLOB) || randomblob(24), 1,
        $first + n, ${SIZE}, randomblob(32), $nowMs - ${DAYS_MS},
        $nowMs - abs(random() % ${DAYS_MS})
      FROM numbers`);
    const each = Math.ceil(entries / NAMESPACES);
    for (let i = 0; i < NAMESPACES; i++) {
      // The keys lie in their order: they would be inserted slowly without.
      const namespace = `crowd.n${String(i).padStart(2, "0")}`;
      const first = 1 + i * each;
      insert.run({
        $namespace: namespace,
        $each: each,
        $first: first,
        $nowMs: nowMs,
      });
    }
  }
  openManifest(root, { durability, nowMs }).database.close();
}
