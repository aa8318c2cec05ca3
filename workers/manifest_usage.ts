/**
 * What the ready entries take, by namespace: kept by triggers, so that it is
 * exact after a crash, and when the original server changes rows.
 *
 * @module
 */

import type { Database } from "./sqlite.ts";

/**
 * Nothing here may break a constraint, whence the columns that may be null and
 * `OR IGNORE`, which passes over a namespace that is null: for statements that
 * may, SQLite keeps a journal of its own, at a third of the cost of a publish.
 */
const TABLE = "CREATE TABLE IF NOT EXISTS larder_usage(" +
  "namespace TEXT PRIMARY KEY, entries INTEGER, bytes INTEGER) WITHOUT ROWID";

const add = (row: "OLD" | "NEW", entries: string, bytes: string) =>
  `INSERT OR IGNORE INTO larder_usage VALUES(${row}.namespace, ${entries}, ${bytes}) ` +
  "ON CONFLICT(namespace) DO UPDATE " +
  "SET entries = entries + excluded.entries, bytes = bytes + excluded.bytes;";
const forget = (condition: string) =>
  `DELETE FROM larder_usage WHERE ${condition} AND namespace = OLD.namespace AND entries = 0;`;
const bytesOf = (row: "OLD" | "NEW") =>
  `CASE ${row}.status WHEN 1 THEN coalesce(${row}.size, 0) ELSE 0 END`;

/** Nobody moves a row to another namespace: it is half of the row's identity. */
const TRIGGERS: readonly (readonly [name: string, definition: string])[] = ([
  ["inserted", "INSERT", "NEW.status = 1", add("NEW", "1", bytesOf("NEW"))],
  [
    "deleted",
    "DELETE",
    "OLD.status = 1",
    add("OLD", "-1", `-${bytesOf("OLD")}`) + forget("TRUE"),
  ],
  [
    "updated",
    "UPDATE OF status, size",
    "NEW.status = 1 OR OLD.status = 1",
    add(
      "NEW",
      "(NEW.status IS 1) - (OLD.status IS 1)",
      `${bytesOf("NEW")} - ${bytesOf("OLD")}`,
    ) + forget("NEW.status IS NOT 1"),
  ],
] as const).map(([name, event, condition, actions]) => [
  `larder_${name}`,
  `CREATE TRIGGER larder_${name} AFTER ${event} ON manifest ` +
  `WHEN ${condition} BEGIN ${actions} END`,
]);

/**
 * Rows are counted where they lie in order, in the primary key's index, and
 * what is not ready is taken off: a fraction of what looking at each would take.
 */
const COUNT = `
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

// In the order of the file: through the index it would be ten times slower.
const ADD_BYTES = `
  UPDATE larder_usage SET bytes = sums.bytes FROM (
    SELECT namespace, sum(size) AS bytes FROM manifest NOT INDEXED
    WHERE size IS NOT NULL AND status = 1 GROUP BY namespace
  ) AS sums WHERE sums.namespace = larder_usage.namespace`;

/**
 * Sees to it that the usage is kept; where a trigger was missing, changes may
 * have gone uncounted, and it is counted anew. Wants the manifest's indexes.
 *
 * @param sized Whether rows may have a size: those of the original have none.
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
  database.run(COUNT);
  if (sized) database.run(ADD_BYTES);
  for (const [, definition] of missing) database.run(definition);
}
