/**
 * What the worker found, in the words of the manifest: what is null there is
 * absent here.
 *
 * @module
 */

import {
  type FoundAged,
  type FoundExpired,
  type FoundInfo,
  type FoundKey,
  type FoundRow,
  type Outcome,
  type PageOf,
  type RowInfo,
  type RowState,
  STATUS,
  type StatusCode,
  type Usage,
} from "../../workers/manifest_protocol.ts";
import type { EntryKey, NamespaceUsage, Row } from "../table/types.ts";
import type { AgedEntry, EntryInfo, ExpiredEntry, Page } from "./manifest.ts";

/** A page, each item in the manifest's words. */
export function page<From, To>(
  { items, cursor }: PageOf<From>,
  item: (from: From) => To,
): Page<To> {
  const converted = items.map(item);
  return cursor === null ? { items: converted } : { items: converted, cursor };
}

/** The row of an entry, if there is one. */
export function maybeRow(entry: EntryKey, outcome: Outcome): Row | undefined {
  return outcome === null ? undefined : rowOf(entry, outcome as RowState);
}

/** A row found by something else than its key. */
export function rowOfFound(found: FoundRow): Row {
  return rowOf(entryOfFound(found), found.state);
}

/** The entry of what was found. */
export function entryOfFound({ namespace, key, hash }: FoundKey): EntryKey {
  return { name: `${namespace}/${hash}`, namespace, key };
}

/** A ready entry found by its age. */
export function agedOf(found: FoundAged): AgedEntry {
  const { size, accessedMs } = found;
  return { ...entryOfFound(found), ...(size !== null && { size }), accessedMs };
}

/** A ready entry whose time is over. */
export function expiredOf(found: FoundExpired): ExpiredEntry {
  const { size, handedMs } = found;
  return {
    ...entryOfFound(found),
    ...(size !== null && { size }),
    ...(handedMs !== null && { handedMs }),
  };
}

/** What namespaces take. */
export function usageOf(outcome: Outcome): NamespaceUsage[] {
  return (outcome as readonly Usage[]).map(([namespace, entries, bytes]) => ({
    namespace,
    entries,
    bytes,
  }));
}

/** An entry found for people. */
export function infoOf(found: FoundInfo): EntryInfo {
  return infoOfKey(entryOfFound(found), found.info);
}

/** What people want to know of an entry. */
export function infoOfKey(
  { name, namespace, key }: EntryKey,
  [code, size, sha256, createdMs, accessedMs, expiresMs, computedMs]: RowInfo,
): EntryInfo {
  return {
    ...{ name, namespace, key, status: STATUS_NAMES[code] },
    ...(size !== null && { size }),
    ...(isDigest(sha256) && { sha256 }),
    ...(createdMs !== null && { createdMs }),
    ...(accessedMs !== null && { accessedMs }),
    ...(expiresMs !== null && { expiresMs }),
    ...(computedMs !== null && { computedMs }),
  };
}

const STATUS_NAMES: Readonly<Record<StatusCode, Row["status"]>> = {
  [STATUS.loading]: "loading",
  [STATUS.ready]: "ready",
  [STATUS.evicting]: "evicting",
};

/** SQLite's hex of nothing is the empty text. */
function isDigest(sha256: string | null): sha256 is string {
  return sha256 !== null && sha256 !== "";
}

function rowOf({ name, namespace, key }: EntryKey, state: RowState): Row {
  const [code, id, staging, size, sha256, handedMs, ...times] = state;
  const [graceEndsMs, ttlMs, expiresMs, computedMs] = times;
  const base = { name, namespace, key, ...(id !== null && { id }) };
  const status = STATUS_NAMES[code];
  if (status === "evicting") return { ...base, status };
  const known = size !== null && isDigest(sha256)
    ? { ...base, digest: { size, sha256 } }
    : base;
  if (status === "ready") {
    return {
      ...known,
      ...(handedMs !== null && { handedMs }),
      ...(expiresMs !== null && { expiresMs }),
      ...(computedMs !== null && { computedMs }),
      status,
    };
  }
  return {
    ...known,
    ...(staging !== null && { staging }),
    ...(graceEndsMs !== null && { graceEndsMs }),
    ...(ttlMs !== null && { ttlMs }),
    status,
  };
}
