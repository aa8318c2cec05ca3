/**
 * From what a client names to the entry's identity.
 *
 * @module
 */

import { sha256Hex } from "../../workers/digest.ts";
import { isNamespace, RESERVED_NAMES } from "../../workers/root_names.ts";
import { LarderError } from "../errors.ts";
import { latin1 } from "../latin1.ts";
import { MAX_KEY_BYTES, MAX_NAMESPACE_BYTES } from "../limits.ts";
import type { EntryKey } from "../table/types.ts";

/** Names that are remembered: hashing takes longer than all else at a hit. */
const MAX_RECENT = 4_096;
/** Keys that are worth it: nearly all are hashes or short texts. */
const MAX_RECENT_KEY_BYTES = 256;
const recent = new Map<string, EntryKey>();

/**
 * Checks namespace and key; throws a `LarderError` that says what is wrong. The
 * entry has a copy of the key: the one given may be a view into a buffer that is
 * used again, or into a message that is much larger.
 */
export function entryKey(namespace: string, key: Uint8Array): EntryKey {
  if (
    key.length > MAX_RECENT_KEY_BYTES || namespace.length > MAX_NAMESPACE_BYTES
  ) return checkedKey(namespace, key);
  const written = `${namespace.length} ${namespace}${
    latin1(key, 0, key.length)
  }`;
  const known = recent.get(written);
  if (known) return known;
  const entry = checkedKey(namespace, key);
  if (recent.size >= MAX_RECENT) recent.clear();
  recent.set(written, entry);
  return entry;
}

function checkedKey(namespace: string, key: Uint8Array): EntryKey {
  // What matches is ASCII, so that its length is its size.
  if (
    namespace.length > MAX_NAMESPACE_BYTES || !isNamespace(namespace) ||
    RESERVED_NAMES.has(namespace)
  ) throw invalidNamespace(namespace);
  if (key.length > MAX_KEY_BYTES) {
    throw new LarderError(
      "key-too-large",
      `invalid key: ${key.length} bytes are more than ${MAX_KEY_BYTES}; ` +
        "use a hash of it as the key",
    );
  }
  const name = `${namespace}/${sha256Hex(key)}`;
  return { name, namespace, key: new Uint8Array(key) };
}

function invalidNamespace(namespace: string): LarderError {
  const shown = JSON.stringify(namespace.slice(0, 64));
  const why = RESERVED_NAMES.has(namespace)
    ? "the server uses that name itself"
    : `it must be identifiers of [A-Za-z0-9_] joined by dots, at most ` +
      `${MAX_NAMESPACE_BYTES} bytes`;
  return new LarderError(
    "invalid-namespace",
    `invalid namespace ${shown}: ${why}`,
  );
}
