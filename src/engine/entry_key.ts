/**
 * From what a client names to the entry's identity.
 *
 * @module
 */

import { sha256Hex } from "../../workers/digest.ts";
import { LarderError } from "../errors.ts";
import { MAX_KEY_BYTES, MAX_NAMESPACE_BYTES } from "../limits.ts";
import type { EntryKey } from "../table/types.ts";

const NAMESPACE = /^([A-Za-z_][A-Za-z0-9_]*\.)*[A-Za-z_][A-Za-z0-9_]*$/;
/** Files of the root that a namespace's folder would collide with. */
const RESERVED = new Set(["Cache.toml", "cache.sqlite"]);

/** Checks namespace and key; throws a `LarderError` that says what is wrong. */
export function entryKey(namespace: string, key: Uint8Array): EntryKey {
  // What matches is ASCII, so that its length is its size.
  if (
    namespace.length > MAX_NAMESPACE_BYTES || !NAMESPACE.test(namespace) ||
    RESERVED.has(namespace)
  ) throw invalidNamespace(namespace);
  if (key.length > MAX_KEY_BYTES) {
    throw new LarderError(
      "key-too-large",
      `invalid key: ${key.length} bytes are more than ${MAX_KEY_BYTES}; ` +
        "use a hash of it as the key",
    );
  }
  return { name: `${namespace}/${sha256Hex(key)}`, namespace, key };
}

function invalidNamespace(namespace: string): LarderError {
  const shown = JSON.stringify(namespace.slice(0, 64));
  const why = RESERVED.has(namespace)
    ? "the server uses that name itself"
    : `it must be identifiers of [A-Za-z0-9_] joined by dots, at most ` +
      `${MAX_NAMESPACE_BYTES} bytes`;
  return new LarderError(
    "invalid-namespace",
    `invalid namespace ${shown}: ${why}`,
  );
}
