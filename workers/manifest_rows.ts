/**
 * Rows of the manifest's table, as the manifest hands them out: what is NULL
 * there is absent here.
 *
 * @module
 */

import { sha256Hex } from "./digest.ts";
import type { Value, Values } from "./sqlite.ts";

/** A status as the original server writes it; there is no other number. */
export const STATUS = { loading: 0, ready: 1, evicting: 2 } as const;

/** A number of {@linkcode STATUS}. */
export type StatusCode = typeof STATUS[keyof typeof STATUS];

/** An entry, as everybody has it. */
export interface Key {
  /** Its namespace and the SHA-256 of its key: `NAMESPACE/HEX`. */
  readonly name: string;
  /** Its namespace. */
  readonly namespace: string;
  /** Its key. */
  readonly key: Uint8Array;
}

/** A digest: what verifies a value. */
interface Digest {
  readonly size: number;
  readonly sha256: string;
}

/** A row without its entry: what each field is says `Row` of the state table. */
export type RowState =
  | {
    readonly status: "loading";
    readonly id?: string;
    readonly staging?: string;
    readonly graceEndsMs?: number;
    readonly assignedMs?: number;
    readonly digest?: Digest;
    readonly ttlMs?: number;
    readonly owner?: string;
  }
  | {
    readonly status: "ready";
    readonly id?: string;
    readonly digest?: Digest;
    readonly handedMs?: number;
    readonly expiresMs?: number;
    readonly computedMs?: number;
    readonly owner?: string;
  }
  | { readonly status: "evicting"; readonly id?: string };

/** A ready row by its age: `AgedEntry` of the manifest. */
export interface Aged extends Key {
  readonly size?: number;
  readonly accessedMs: number;
}

/** A ready row whose time is over: `ExpiredEntry` of the manifest. */
export interface Expired extends Key {
  readonly size?: number;
  readonly handedMs?: number;
}

/** A row for people, without its entry: `EntryInfo` of the manifest. */
export interface Info {
  readonly status: RowState["status"];
  readonly size?: number;
  readonly sha256?: string;
  readonly createdMs?: number;
  readonly accessedMs?: number;
  readonly expiresMs?: number;
  readonly computedMs?: number;
}

/** What the ready rows of a namespace take: `NamespaceUsage` of the manifest. */
export interface Usage {
  readonly namespace: string;
  readonly entries: number;
  readonly bytes: number;
}

/** The columns of {@linkcode stateOf}. */
export const STATE =
  "status, id, staging, size, lower(hex(sha256)), handed_ms, grace_ms, " +
  "ttl_ms, created_ms + ttl_ms, computed_ms, owner, assigned_ms";

/** A row, from the columns of {@linkcode STATE}. */
export function stateOf(row: Values): RowState {
  const [code, id, staging, size, sha256, handed, grace, ttl, expires, took] =
    row;
  const owner = text(row[10]);
  const status = statusOf(code);
  const known = present<{ id?: string }>({ id: text(id) });
  if (status === "evicting") return { ...known, status };
  const digest = isSet(size) && isDigest(sha256)
    ? { digest: { size: Number(size), sha256 } }
    : {};
  const rest = status === "ready"
    ? present({
      handedMs: number(handed),
      expiresMs: number(expires),
      computedMs: number(took),
      owner,
    })
    : present({
      staging: text(staging),
      graceEndsMs: number(grace),
      assignedMs: number(row[11]),
      ttlMs: number(ttl),
      owner,
    });
  return { ...known, ...digest, ...rest, status } as RowState;
}

/** The columns of {@linkcode infoOf}. */
export const INFO = "status, size, lower(hex(sha256)), created_ms, " +
  "accessed_ms, created_ms + ttl_ms, computed_ms";

/** What people want to know of a row, from the columns of {@linkcode INFO}. */
export function infoOf(row: Values): Info {
  const [code, size, sha256, created, accessed, expires, took] = row;
  return {
    status: statusOf(code),
    ...present({
      size: number(size),
      sha256: isDigest(sha256) ? sha256 : undefined,
      createdMs: number(created),
      accessedMs: number(accessed),
      expiresMs: number(expires),
      computedMs: number(took),
    }),
  };
}

/** An entry, from its namespace and its key. */
export function entryOf(
  namespace: unknown,
  value: Value | undefined,
): Key {
  const key = value as Uint8Array;
  return {
    name: `${namespace}/${sha256Hex(key)}`,
    namespace: `${namespace}`,
    key,
  };
}

/** From a time, the rowid, `namespace, key` and the columns of {@linkcode STATE}. */
export function rowOf([, , namespace, key, ...state]: Values): Key & RowState {
  return { ...entryOf(namespace, key), ...stateOf(state) };
}

/** From `accessed_ms, rowid, namespace, key, size`. */
export function agedOf([accessed, , namespace, key, size]: Values): Aged {
  return {
    ...entryOf(namespace, key),
    ...present({ size: number(size) }),
    accessedMs: Number(accessed),
  };
}

/** From the time of expiry, `rowid, namespace, key, size, handed_ms`. */
export function expiredOf(
  [, , namespace, key, size, handed]: Values,
): Expired {
  return {
    ...entryOf(namespace, key),
    ...present({ size: number(size), handedMs: number(handed) }),
  };
}

/** From `namespace, entries, bytes`. */
export function usageOf([namespace, entries, bytes]: Values): Usage {
  return {
    namespace: `${namespace}`,
    entries: Number(entries),
    bytes: Number(bytes),
  };
}

/** The fields that are there. */
function present<T extends object>(
  fields: { readonly [K in keyof T]: T[K] | undefined },
): Partial<T> {
  const there = Object.entries(fields).filter(([, value]) =>
    value !== undefined
  );
  return Object.fromEntries(there) as Partial<T>;
}

function statusOf(value: Value | undefined): RowState["status"] {
  const code = Number(value);
  if (code === STATUS.loading) return "loading";
  return code === STATUS.ready ? "ready" : "evicting";
}

function isSet(value: Value | undefined): value is Exclude<Value, null> {
  return value !== null && value !== undefined;
}

/** SQLite's hex of nothing is the empty text. */
function isDigest(sha256: Value | undefined): sha256 is string {
  return typeof sha256 === "string" && sha256 !== "";
}

function text(value: Value | undefined): string | undefined {
  return isSet(value) ? `${value}` : undefined;
}

function number(value: Value | undefined): number | undefined {
  return isSet(value) ? Number(value) : undefined;
}
