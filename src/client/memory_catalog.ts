/**
 * The catalog of a tier in memory.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { sha256 } from "../../workers/digest.ts";
import type { CallOptions, Entry } from "./backend.ts";
import type {
  Deleted,
  Removed,
  Selection,
  StoredEntry,
  TierCatalog,
} from "./catalog.ts";

/** A value in memory, and when it came and was used, by the wall clock. */
export interface HeldValue {
  readonly value: Uint8Array;
  readonly createdMs: number;
  accessedMs: number;
}

/** The values, by {@linkcode nameOf} their entries. */
export interface HeldValues {
  get(name: string): HeldValue | undefined;
  names(): Iterable<string>;
  forget(name: string): void;
}

/** Looks at values in memory, and forgets them. Never waits for anything. */
export class MemoryCatalog implements TierCatalog {
  readonly #values: HeldValues;

  /** Of the values that are there when it is asked. */
  constructor(values: HeldValues) {
    this.#values = values;
  }

  /** {@inheritDoc TierCatalog.stat} */
  stat(entry: Entry): Promise<StoredEntry | undefined> {
    const held = this.#values.get(nameOf(entry));
    return Promise.resolve(held && stored(entry, held));
  }

  /** {@inheritDoc TierCatalog.list} */
  async *list(
    namespace: string,
    _options: CallOptions,
  ): AsyncGenerator<StoredEntry, void, undefined> {
    for (const { entry, held } of this.#of(namespace)) {
      yield await Promise.resolve(stored(entry, held));
    }
  }

  /** {@inheritDoc TierCatalog.delete} */
  delete(entry: Entry): Promise<Deleted> {
    const name = nameOf(entry);
    const isThere = this.#values.get(name) !== undefined;
    if (isThere) this.#values.forget(name);
    return Promise.resolve(isThere ? "deleted" : "absent");
  }

  /** {@inheritDoc TierCatalog.remove} */
  async *remove(
    namespace: string,
    { prefix, olderThanMs = 0, unreadForMs = 0, dryRun = false }: Selection,
  ): AsyncGenerator<Removed, void, undefined> {
    const nowMs = Date.now();
    const start = prefix ? Buffer.from(prefix).toString("hex") : "";
    let entries = 0;
    let bytes = 0;
    for (const { name, held } of this.#of(namespace, start)) {
      const { createdMs, accessedMs, value } = held;
      if (createdMs > nowMs - olderThanMs) continue;
      if (accessedMs > nowMs - unreadForMs) continue;
      entries++;
      bytes += value.length;
      if (!dryRun) this.#values.forget(name);
    }
    yield await Promise.resolve({ entries, bytes, inUse: 0 });
  }

  /** In the byte order of their keys; a copy, for it may be changed meanwhile. */
  #of(
    namespace: string,
    start = "",
  ): { name: string; entry: Entry; held: HeldValue }[] {
    const begin = `${namespace} `;
    const names = [...this.#values.names()].filter((name) =>
      name.startsWith(begin + start)
    );
    return names.sort().flatMap((name) => {
      const key = new Uint8Array(Buffer.from(name.slice(begin.length), "hex"));
      const held = this.#values.get(name);
      return held ? [{ name, entry: { namespace, key }, held }] : [];
    });
  }
}

/** An entry as text. */
export function nameOf({ namespace, key }: Entry): string {
  return `${namespace} ${Buffer.from(key).toString("hex")}`;
}

function stored(
  { namespace, key }: Entry,
  { value, createdMs, accessedMs }: HeldValue,
): StoredEntry {
  return {
    namespace,
    key,
    status: "ready",
    size: value.length,
    sha256: sha256(value),
    createdMs,
    accessedMs,
  };
}
