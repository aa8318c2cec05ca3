/**
 * Tells a `cache.sqlite` of somebody else's without opening it, for those who
 * have no SQLite, or must change nothing, not even the folder's times. Whoever
 * opens the file looks closer.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { closeSync, lstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { MANIFEST_FILE, MANIFEST_SUFFIXES } from "./root_names.ts";

const MAGIC = "SQLite format 3\0";
/** The largest page that SQLite makes. */
const MAX_PAGE_BYTES = 64 * 1024;
const PAGE_BYTES_AT = 16;
/** Where the first page says what it is, and how many rows it holds. */
const KIND_AT = 100;
const ROWS_AT = 103;
/** All tables are described in this page. */
const LEAF = 0x0d;

/**
 * Why the manifest of a folder is certainly none; `undefined`: it may be one,
 * there is none, or one cannot tell.
 */
export function whyForeignManifest(root: string): string | undefined {
  const path = join(root, MANIFEST_FILE);
  const info = lstatSync(path, { throwIfNoEntry: false });
  if (!info?.isFile() || info.size === 0) return undefined;
  // What a log holds is newer than the first page.
  for (const suffix of MANIFEST_SUFFIXES) {
    const log = lstatSync(path + suffix, { throwIfNoEntry: false });
    if (log && log.size > 0) return undefined;
  }
  const page = firstPage(path);
  if (page.length <= ROWS_AT + 1) return refusal(path, "it is no database");
  if (page.toString("latin1", 0, MAGIC.length) !== MAGIC) {
    return refusal(path, "it is no database");
  }
  const bytes = page.readUInt16BE(PAGE_BYTES_AT);
  const start = page.subarray(0, bytes === 1 ? MAX_PAGE_BYTES : bytes);
  if (start[KIND_AT] !== LEAF || start.readUInt16BE(ROWS_AT) === 0) {
    return undefined;
  }
  return /tablemanifestmanifest/i.test(start.toString("latin1"))
    ? undefined
    : refusal(path, "it has no table manifest");
}

function refusal(path: string, why: string): string {
  return `Cannot open ${path}: it is not Larder's (${why}); serve another ` +
    "root, or move it aside and start again";
}

function firstPage(path: string): Buffer {
  const descriptor = openSync(path, "r");
  try {
    const page = Buffer.alloc(MAX_PAGE_BYTES);
    return page.subarray(0, readSync(descriptor, page, 0, page.length, 0));
  } finally {
    closeSync(descriptor);
  }
}
