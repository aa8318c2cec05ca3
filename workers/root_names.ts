/**
 * The names that a root uses itself, and those of the values in it.
 *
 * @module
 */

/** The manifest's file. */
export const MANIFEST_FILE = "cache.sqlite";
/** What is being served; locked while it is. */
export const CONFIG_FILE = "Cache.toml";
/** Tells backups that the folder may be made again. */
export const TAG_FILE = "CACHEDIR.TAG";
/** Where clients write. */
export const STAGING_FOLDER = ".staging";
/** What only the server touches: captures and temporary files. */
export const PRIVATE_FOLDER = ".private";
/** Damaged values, for a human to look at. */
export const QUARANTINE_FOLDER = ".quarantine";

/** What SQLite keeps beside the manifest, each name without the manifest's. */
export const MANIFEST_SUFFIXES: readonly string[] = [
  "-wal",
  "-shm",
  "-journal",
];

/** Of the above, those that would be namespaces otherwise. */
export const RESERVED_NAMES: ReadonlySet<string> = new Set([
  ...[MANIFEST_FILE, CONFIG_FILE, TAG_FILE],
]);

const NAMESPACE = /^([A-Za-z_][A-Za-z0-9_]*\.)*[A-Za-z_][A-Za-z0-9_]*$/;
const HEX = /^[0-9a-f]{64}$/;

/** Whether a root's folder may be a namespace. */
export function isNamespace(name: string): boolean {
  return name.length <= 255 && NAMESPACE.test(name);
}

/** Whether a file may be a value. */
export function isHex(name: string): boolean {
  return HEX.test(name);
}
