/**
 * The digest of a small value that is in memory.
 *
 * @module
 */

import { sha256Hex } from "../../workers/digest.ts";
import type { Digest } from "../table/types.ts";

/** Takes 3 us a KiB of this isolate: what is large is hashed where it is written. */
export function digestOfValue(value: Uint8Array): Digest {
  return { size: value.length, sha256: sha256Hex(value) };
}
