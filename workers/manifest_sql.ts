/**
 * The statements on the manifest's table.
 *
 * @module
 */

/** Rows that one page reads at most, wanted or not: a few milliseconds. */
const OLDEST_SCAN_ROWS = 4_096;
/** The same where most rows are not wanted: about a millisecond. */
const UNMEASURED_SCAN_ROWS = 2_000;

const STATE =
  "status, id, staging, size, lower(hex(sha256)), handed_ms, grace_ms, " +
  "ttl_ms, created_ms + ttl_ms, computed_ms";
const INFO = "status, size, lower(hex(sha256)), created_ms, accessed_ms, " +
  "created_ms + ttl_ms, computed_ms";
const BY_KEY = "WHERE namespace = ? AND key = ?";

// `status IS NOT 1` is what the partial index is made of; SQLite takes it only
// when the query repeats it word for word.
const AFTER_CURSOR =
  "status IS NOT 1 AND (assigned_ms, rowid) > (?, ?) ORDER BY assigned_ms, rowid LIMIT ?";
const FOUND = `assigned_ms, rowid, namespace, CAST(key AS BLOB), ${STATE}`;

/**
 * What follows a row in the index of times. Two ranges, because of the tuple
 * `(accessed_ms, rowid)` SQLite would look up the time only, and then walk
 * through all that are as old.
 */
const AGED = "status = 1 AND accessed_ms IS NOT NULL";
const OLDER =
  `FROM manifest INDEXED BY manifest_oldest WHERE ${AGED} AND namespace = ?`;
const OLDER_OF_ALL = `FROM manifest INDEXED BY manifest_age WHERE ${AGED}`;
const agedAfter = (older: string, columns: string) =>
  `SELECT ${columns} ${older} AND accessed_ms = ? AND rowid > ? UNION ALL ` +
  `SELECT ${columns} ${older} AND accessed_ms > ? ORDER BY 1, 2`;
const AGED_COLUMNS = "accessed_ms, rowid AS row, namespace, " +
  "CAST(key AS BLOB) AS key, size, handed_ms";
const oldest = (older: string) =>
  "SELECT accessed_ms, row, namespace, key, size FROM (" +
  `${agedAfter(older, AGED_COLUMNS)} LIMIT ${OLDEST_SCAN_ROWS}` +
  ") WHERE (handed_ms IS NULL OR handed_ms < ?)";
const oldestEnd = (older: string) =>
  `${agedAfter(older, "accessed_ms, rowid")} LIMIT 1 OFFSET ${
    OLDEST_SCAN_ROWS - 1
  }`;

/** Times never go back. */
const later = (column: string) =>
  `${column} = coalesce(max(${column}, ?), ${column}, ?)`;

const AFTER_ROW = "FROM manifest WHERE rowid > ? ORDER BY rowid";

/** Every statement; exported so that a test can ask for their plans. */
export const SQL = {
  find: `SELECT ${STATE} FROM manifest ${BY_KEY}`,
  findId: `SELECT ${FOUND} FROM manifest WHERE id = ? AND status IN (0, 1)`,
  // OR FAIL: see manifest_usage.ts. Nothing is written before a row's checks.
  claim:
    "INSERT OR FAIL INTO manifest(namespace, key, status, id, staging, ttl_ms, assigned_ms) " +
    "VALUES(?, ?, 0, ?, ?, ?, ?) ON CONFLICT(namespace, key) DO NOTHING",
  reassign:
    "UPDATE manifest SET id = ?, staging = ?, ttl_ms = ?, assigned_ms = ?, size = NULL, sha256 = NULL, grace_ms = NULL " +
    `${BY_KEY} AND status = 0 AND status = ? AND id IS ?`,
  record: "UPDATE manifest SET size = ?, sha256 = unhex(?) " +
    `${BY_KEY} AND status = 0 AND id = ?`,
  publish:
    "UPDATE manifest SET status = 1, staging = NULL, assigned_ms = NULL, grace_ms = NULL, " +
    "computed_ms = max(0, ? - assigned_ms), " +
    "size = ?, sha256 = unhex(?), created_ms = ?, accessed_ms = ?, " +
    "handed_ms = CASE WHEN staging IS NULL THEN NULL ELSE ? END " +
    `${BY_KEY} AND status = 0 AND id = ?`,
  // What the original made of a row of ours has neither from it.
  complete: "UPDATE manifest SET id = ?, size = ?, sha256 = unhex(?), " +
    "created_ms = ?, accessed_ms = ?, ttl_ms = NULL, computed_ms = NULL " +
    `${BY_KEY} AND status = 1 AND (sha256 IS NULL OR size IS NULL)`,
  grace: "UPDATE manifest SET grace_ms = ? " +
    "WHERE status IS NOT 1 AND status = 0 AND id IS NOT NULL AND grace_ms IS NULL",
  renewed:
    `UPDATE manifest SET grace_ms = NULL ${BY_KEY} AND status = 0 AND id = ?`,
  evict: "UPDATE manifest SET status = 2, assigned_ms = ? " +
    `${BY_KEY} AND status = 1 AND id IS ?`,
  remove: `DELETE FROM manifest ${BY_KEY} AND status = ? AND id IS ?`,
  unsettled: `SELECT ${FOUND} FROM manifest WHERE ${AFTER_CURSOR}`,
  stale: `SELECT ${FOUND} FROM manifest ` +
    `WHERE status = 0 AND assigned_ms < ? AND ${AFTER_CURSOR}`,
  names:
    "SELECT CAST(key AS BLOB) FROM manifest WHERE namespace = ? AND key > ? " +
    "ORDER BY key LIMIT ?",
  usage: "SELECT namespace, entries, bytes FROM larder_usage " +
    "WHERE namespace > ? ORDER BY namespace LIMIT ?",
  oldest: `${oldest(OLDER)} LIMIT ?`,
  oldestEnd: oldestEnd(OLDER),
  oldestOfAll: `${
    oldest(OLDER_OF_ALL)
  } AND namespace >= ? AND namespace < ? LIMIT ?`,
  oldestOfAllEnd: oldestEnd(OLDER_OF_ALL),
  expired:
    "SELECT created_ms + ttl_ms, rowid, namespace, CAST(key AS BLOB), size, handed_ms " +
    "FROM manifest INDEXED BY manifest_expiry WHERE ttl_ms IS NOT NULL AND status = 1 " +
    "AND created_ms + ttl_ms <= ? AND (created_ms + ttl_ms, rowid) > (?, ?) " +
    "ORDER BY created_ms + ttl_ms, rowid LIMIT ?",
  touch: `UPDATE manifest SET ${later("accessed_ms")}, ${later("handed_ms")} ` +
    `${BY_KEY} AND status = 1`,
  unmeasured: "SELECT row, namespace, key FROM (" +
    "SELECT rowid AS row, namespace, CAST(key AS BLOB) AS key, status, size, accessed_ms " +
    `${AFTER_ROW} LIMIT ${UNMEASURED_SCAN_ROWS}` +
    ") WHERE status = 1 AND (size IS NULL OR accessed_ms IS NULL) LIMIT ?",
  unmeasuredEnd: `SELECT rowid ${AFTER_ROW} LIMIT 1 OFFSET ${
    UNMEASURED_SCAN_ROWS - 1
  }`,
  measure:
    "UPDATE manifest SET size = coalesce(size, ?), accessed_ms = coalesce(accessed_ms, ?) " +
    `${BY_KEY} AND status = 1 AND (size IS NULL OR accessed_ms IS NULL)`,
  list: `SELECT CAST(key AS BLOB), ${INFO} FROM manifest ` +
    "WHERE namespace = ? AND key > ? ORDER BY key LIMIT ?",
  stat: `SELECT ${INFO} FROM manifest ${BY_KEY}`,
} as const;
