/**
 * The note in a value that says which run has made it.
 *
 * @module
 */

import type { StoredEntry } from "../../client/catalog.ts";
import type { Server } from "../server.ts";
import { MANIFEST, readManifest } from "./archive.ts";
import type { Origin } from "./origin.ts";
import { BLOCK_BYTES, readBlock } from "./tar_header.ts";

/** What a key of `larder run` has: it is a hash. */
const KEY_BYTES = 32;
/** More than it has, but where the names of the outs are long. */
const HEAD_BYTES = 64 * 1024;

/**
 * Reads it. The server takes that for a use of the value.
 *
 * @returns `undefined`: there is none, or it cannot be had.
 */
export async function originNotedIn(
  { namespace, key, status, size }: StoredEntry,
  server: Server,
): Promise<Origin | undefined> {
  const mayHave = status === "ready" && key.length === KEY_BYTES &&
    size >= 2 * BLOCK_BYTES;
  if (!mayHave) return undefined;
  try {
    return originIn(await server.head({ namespace, key }, HEAD_BYTES));
  } catch {
    // It is no output of larder run, or nothing that is worth a wait.
    return undefined;
  }
}

/** Throws if what should be the manifest is none. */
function originIn(head: Uint8Array): Origin | undefined {
  // The manifest is in the first entry, whose header is a block.
  const { name, size } = readBlock(head);
  if (name !== MANIFEST) return undefined;
  const end = BLOCK_BYTES + size;
  if (!(end <= head.length)) return undefined;
  return readManifest(head.subarray(BLOCK_BYTES, end)).origin;
}
