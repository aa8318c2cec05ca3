/**
 * Tells a quota that is used up from a disk that fails: SQLite says "disk I/O
 * error" of both.
 *
 * @module
 */

import { systemCode } from "./blob_files.ts";
import { PRIVATE_FOLDER } from "./root_names.ts";

/** More than the largest write of SQLite, which is a page. */
const PROBE_BYTES = 64 * 1024;

/** Where it is tried; a start removes what is in this folder. */
export function probePath(root: string): string {
  return `${root}/${PRIVATE_FOLDER}/quota-probe`;
}

/** Whether a share of the disk that a root may take is used up. */
export function isQuotaUsedUp(root: string): boolean {
  const path = probePath(root);
  try {
    using file = Deno.openSync(path, { create: true, write: true });
    file.writeSync(new Uint8Array(PROBE_BYTES).fill(1));
    // Some file systems find out only then.
    file.syncDataSync();
    return false;
  } catch (error) {
    return systemCode(error) === "EDQUOT";
  } finally {
    try {
      Deno.removeSync(path);
    } catch {
      // It could not be made.
    }
  }
}
