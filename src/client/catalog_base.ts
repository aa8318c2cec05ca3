/**
 * What every cache tells of the values that it keeps, and how programs take
 * them away. Unlike the calls that compute, these fail when a server is away:
 * nobody is to believe that a value is gone which is still there.
 *
 * @module
 */

import { CacheError } from "./cache_error.ts";
import { Bound, type Bounds, within } from "./call_signal.ts";
import type {
  Removed,
  Selection,
  StoredEntry,
  TierCatalog,
} from "./catalog.ts";
import {
  abortSignal,
  callable,
  checkOptions,
  flag,
  type KnownOptions,
  milliseconds,
} from "./checked_options.ts";
import { checkNamespace, entryOf } from "./entries.ts";
import { formatKeyInput, type KeyInput } from "./keys.ts";

/** Which values to remove, and what bounds the call. */
export interface InvalidateOptions extends Selection, Bounds {
  /** Told after each page of some hundred entries what has gone so far. */
  readonly onProgress?: ((removed: Removed) => void) | undefined;
}

const BOUNDS: KnownOptions = { signal: abortSignal, deadlineMs: milliseconds };

/** The options of `invalidate`. */
export const INVALIDATE_OPTIONS: KnownOptions = {
  ...BOUNDS,
  prefix: bytes,
  olderThanMs: milliseconds,
  unreadForMs: milliseconds,
  dryRun: flag,
  onProgress: callable,
};

/** The part of {@linkcode CacheBase} that looks at what is there. */
export abstract class CatalogBase {
  /** Names what the cache is made of. */
  abstract readonly name: string;
  /** What it is made of, to be looked at. */
  abstract readonly catalog: TierCatalog;
  /** Aborted when the cache is closed. */
  protected readonly closing: AbortController = new AbortController();

  /**
   * What is known of an entry: its size, its age and its last use.
   *
   * @returns `undefined` where there is none.
   * @throws {CacheError} `unavailable`; `unimplemented`: the server is an original.
   */
  async stat(
    namespace: string,
    key: KeyInput,
    options: Bounds = {},
  ): Promise<StoredEntry | undefined> {
    checkOptions(options, BOUNDS);
    const entry = entryOf(namespace, key);
    return await this.#within(
      options,
      (signal) => this.catalog.stat(entry, { signal }),
    );
  }

  /**
   * The entries of a namespace, in the byte order of their keys. A key that was
   * given as JSON is its hash. A deadline is for all of them.
   *
   * @throws {CacheError} As for {@linkcode CatalogBase.stat}.
   */
  async *list(
    namespace: string,
    options: Bounds = {},
  ): AsyncGenerator<StoredEntry, void, undefined> {
    checkOptions(options, BOUNDS);
    checkNamespace(namespace);
    using bound = new Bound(options, this.closing.signal);
    const { signal } = bound;
    signal.throwIfAborted();
    yield* this.catalog.list(namespace, { signal });
  }

  /**
   * Deletes the value of a key, whoever has published it.
   *
   * @returns Whether there was one.
   * @throws {CacheError} `in-use`: it is being read or computed; and as for
   * {@linkcode CatalogBase.stat}.
   */
  async delete(
    namespace: string,
    key: KeyInput,
    options: Bounds = {},
  ): Promise<boolean> {
    checkOptions(options, BOUNDS);
    const entry = entryOf(namespace, key);
    const deleted = await this.#within(
      options,
      (signal) => this.catalog.delete(entry, { signal }),
    );
    if (deleted === "in-use") throw inUse(this.name, "delete", namespace, key);
    return deleted === "deleted";
  }

  /**
   * Removes all values of a namespace, or those that the options name. Values
   * that are being computed or read stay, and are counted; so does what is
   * published meanwhile.
   *
   * @returns What has gone; of several tiers, from all of them together.
   * @throws {CacheError} As for {@linkcode CatalogBase.stat}; what has gone by
   * then is gone.
   */
  async invalidate(
    namespace: string,
    options: InvalidateOptions = {},
  ): Promise<Removed> {
    checkOptions(options, INVALIDATE_OPTIONS);
    checkNamespace(namespace);
    const { prefix, olderThanMs, unreadForMs, dryRun, onProgress } = options;
    const selection = { prefix, olderThanMs, unreadForMs, dryRun };
    return await this.#within(options, async (signal) => {
      let removed: Removed = { entries: 0, bytes: 0, inUse: 0 };
      const pages = this.catalog.remove(namespace, selection, { signal });
      for await (const { entries, bytes, inUse } of pages) {
        removed = {
          entries: removed.entries + entries,
          bytes: removed.bytes + bytes,
          inUse: removed.inUse + inUse,
        };
        onProgress?.(removed);
      }
      return removed;
    });
  }

  #within<T>(
    bounds: Bounds,
    run: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return within(bounds, this.closing.signal, run);
  }
}

/** A value that stays as somebody has it in hands. */
export function inUse(
  name: string,
  action: string,
  namespace: string,
  key: KeyInput,
): CacheError {
  return new CacheError(
    "in-use",
    `${name}: cannot ${action} ${namespace} ${formatKeyInput(key)}: it is ` +
      "being read or computed; try again later",
  );
}

function bytes(name: string, value: unknown): void {
  if (value instanceof Uint8Array) return;
  throw new TypeError(
    `${name} must be a Uint8Array, the bytes that keys begin with: keys that ` +
      "are JSON are hashed",
  );
}
