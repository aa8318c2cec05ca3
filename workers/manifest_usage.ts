/**
 * What the ready entries take, by namespace: kept by triggers, so that it is
 * exact after a crash, and when the original server changes rows.
 *
 * @module
 */

import type { Database } from "./sqlite.ts";

const TABLE = "CREATE TABLE IF NOT EXISTS larder_usage(" +
  "namespace TEXT PRIMARY KEY, entries INTEGER NOT NULL, bytes INTEGER NOT NULL" +
  ") WITHOUT ROWID";

// A namespace may be null in the original's table, though it never writes one.
const COUNTED_NEW = "NEW.status = 1 AND NEW.namespace IS NOT NULL";
const COUNTED_OLD = "OLD.status = 1 AND OLD.namespace IS NOT NULL";

const ENTER =
  "INSERT INTO larder_usage VALUES(NEW.namespace, 1, coalesce(NEW.size, 0)) " +
  "ON CONFLICT(namespace) DO UPDATE " +
  "SET entries = entries + 1, bytes = bytes + excluded.bytes;";
const LEAVE =
  "UPDATE larder_usage SET entries = entries - 1, bytes = bytes - coalesce(OLD.size, 0) " +
  "WHERE namespace = OLD.namespace; " +
  "DELETE FROM larder_usage WHERE namespace = OLD.namespace AND entries = 0;";

/** An update leaves and enters; one that only writes times does neither. */
const UPDATE = "UPDATE OF namespace, status, size";

const TRIGGERS: readonly (readonly [name: string, definition: string])[] = ([
  ["larder_inserted", "INSERT", COUNTED_NEW, ENTER],
  ["larder_deleted", "DELETE", COUNTED_OLD, LEAVE],
  ["larder_left", UPDATE, COUNTED_OLD, LEAVE],
  ["larder_entered", UPDATE, COUNTED_NEW, ENTER],
] as const).map(([name, event, condition, action]) => [
  name,
  `CREATE TRIGGER ${name} AFTER ${event} ON manifest WHEN ${condition} BEGIN ${action} END`,
]);

/**
 * Nothing of the original has a size: its rows are counted where they lie in
 * order, in the primary key's index, and what is not ready is taken off.
 */
const COUNT_UNSIZED = `
  INSERT INTO larder_usage
  SELECT namespace, counted.entries - coalesce(unsettled.entries, 0) AS ready, 0
  FROM (
    SELECT namespace, count(*) AS entries FROM manifest
    WHERE namespace IS NOT NULL GROUP BY namespace
  ) AS counted
  LEFT JOIN (
    SELECT namespace, count(*) AS entries FROM manifest INDEXED BY manifest_unsettled
    WHERE status IS NOT 1 GROUP BY namespace
  ) AS unsettled USING (namespace)
  WHERE ready > 0`;

const COUNT_SIZED = `
  INSERT INTO larder_usage
  SELECT namespace, count(*), sum(coalesce(size, 0)) FROM manifest
  WHERE status = 1 AND namespace IS NOT NULL GROUP BY namespace`;

/**
 * Sees to it that the usage is kept; where a trigger was missing, changes may
 * have gone uncounted, and it is counted anew. Wants the manifest's indexes.
 *
 * @param sized Whether rows may have a size already.
 */
export function keepUsage(
  database: Database,
  { sized }: { readonly sized: boolean },
): void {
  database.run(TABLE);
  const present = new Set(
    database.prepare(
      "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'manifest'",
    ).all().map((row) => row[0]),
  );
  const missing = TRIGGERS.filter(([name]) => !present.has(name));
  if (missing.length === 0) return;
  database.run("DELETE FROM larder_usage");
  database.run(sized ? COUNT_SIZED : COUNT_UNSIZED);
  for (const [, definition] of missing) database.run(definition);
}
