/**
 * Which entry a program means.
 *
 * @module
 */

import { LarderError } from "../errors.ts";
import type { Entry } from "./backend.ts";
import { CacheError } from "./cache_error.ts";
import { shown } from "./checked_options.ts";
import { keyBytes, type KeyInput } from "./keys.ts";

/**
 * Throws unless it can be a namespace: which ones there may be, the server says.
 *
 * @throws {TypeError} Says what to give.
 */
export function checkNamespace(namespace: unknown): void {
  if (typeof namespace === "string") return;
  throw new TypeError(
    'the namespace must be a string, such as "sim.ring_osc", not ' +
      shown(namespace),
  );
}

/**
 * The entry of a key. Bytes are copied: whoever gave them may change them before
 * a call has ended, or is tried again.
 */
export function entryOf(namespace: string, input: KeyInput): Entry {
  checkNamespace(namespace);
  try {
    return { namespace, key: new Uint8Array(keyBytes(input)) };
  } catch (cause) {
    if (!(cause instanceof LarderError)) throw cause;
    throw new CacheError("invalid", cause.message, { cause });
  }
}
