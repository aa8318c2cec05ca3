/**
 * Which entry a program means.
 *
 * @module
 */

import { LarderError } from "../errors.ts";
import type { Entry } from "./backend.ts";
import { CacheError } from "./cache_error.ts";
import { keyBytes, type KeyInput } from "./keys.ts";

/**
 * The entry of a key. Bytes are copied: whoever gave them may change them before
 * a call has ended, or is tried again.
 */
export function entryOf(namespace: string, input: KeyInput): Entry {
  try {
    return { namespace, key: new Uint8Array(keyBytes(input)) };
  } catch (cause) {
    if (!(cause instanceof LarderError)) throw cause;
    throw new CacheError("invalid", cause.message, { cause });
  }
}
