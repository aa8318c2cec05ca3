/**
 * An entry as JSON, the same in every command.
 *
 * @module
 */

import { asText, toHex } from "./format.ts";
import type { StoredEntry } from "../client/catalog.ts";

/** What scripts are told of an entry. */
export function infoJson(info: StoredEntry): Record<string, unknown> {
  const text = asText(info.key);
  return {
    namespace: info.namespace,
    key_hex: toHex(info.key),
    ...text === undefined ? {} : { key: text },
    status: info.status,
    // What is being computed has none yet.
    size: info.status === "ready" ? info.size : null,
    sha256: toHex(info.sha256),
    created_ms: info.createdMs,
    accessed_ms: info.accessedMs,
    expires_ms: info.expiresMs,
    computed_ms: info.computedMs,
  };
}
