/**
 * What a tier says of the values that it keeps, and how they are taken away.
 *
 * @module
 */

import type { CallOptions, Entry } from "./backend.ts";
import { CacheError, hasCode } from "./cache_error.ts";

/** What is known of an entry. */
export interface StoredEntry extends Entry {
  /**
   * `ready`: it has a value; `loading`: somebody computes it; `expired`: somebody
   * did, and has gone; `evicting`: its value is being taken away.
   */
  readonly status: "loading" | "ready" | "evicting" | "expired" | "unknown";
  /** Of its value, in bytes; 0: not known. */
  readonly size: number;
  /** Of its value, 32 bytes; empty: not known. */
  readonly sha256: Uint8Array;
  /** When it was published: milliseconds since 1970 by the server's clock; 0: not known. */
  readonly createdMs: number;
  /** When it was used last, in the same way. */
  readonly accessedMs: number;
}

/** Which values of a namespace are meant: those for which all of it is true. */
export interface Selection {
  /** Their keys begin with these bytes. Keys that are hashes have no beginning. */
  readonly prefix?: Uint8Array | undefined;
  /** They were published so long ago, at the least, in milliseconds. */
  readonly olderThanMs?: number | undefined;
  /** Nobody has read them for so long, in milliseconds. */
  readonly unreadForMs?: number | undefined;
  /** Only count them. */
  readonly dryRun?: boolean | undefined;
}

/** What has been removed. */
export interface Removed {
  /** How many values; with `dryRun`, how many would be. */
  readonly entries: number;
  /** Their bytes. */
  readonly bytes: number;
  /** Values that stay since somebody reads or computes them. */
  readonly inUse: number;
}

/** What became of a value that was to be deleted. */
export type Deleted = "deleted" | "absent" | "in-use";

/** Looks at what a tier keeps, and takes it away. Errors are those of the tier. */
export interface TierCatalog {
  /** One entry; `undefined`: there is none. */
  stat(entry: Entry, options: CallOptions): Promise<StoredEntry | undefined>;
  /** The entries of a namespace, in the byte order of their keys. */
  list(
    namespace: string,
    options: CallOptions,
  ): AsyncGenerator<StoredEntry, void, undefined>;
  /** Takes the value of an entry away. */
  delete(entry: Entry, options: CallOptions): Promise<Deleted>;
  /** Takes the values away that are meant; says what went, page by page. */
  remove(
    namespace: string,
    selection: Selection,
    options: CallOptions,
  ): AsyncGenerator<Removed, void, undefined>;
}

/** A tier, as far as this matters. */
export interface Catalogued {
  /** Names it in messages. */
  readonly name: string;
  /** Absent: it can do none of this. */
  readonly catalog?: TierCatalog;
}

/** The catalog of the first that answers: all of them are doors to the same. */
export class FirstCatalog implements TierCatalog {
  readonly #doors: readonly Catalogued[];

  /** Asks them in this order. */
  constructor(doors: readonly Catalogued[]) {
    this.#doors = doors;
  }

  /** {@inheritDoc TierCatalog.stat} */
  stat(entry: Entry, options: CallOptions): Promise<StoredEntry | undefined> {
    return this.#ask((catalog) => catalog.stat(entry, options));
  }

  /** {@inheritDoc TierCatalog.list} */
  list(
    namespace: string,
    options: CallOptions,
  ): AsyncGenerator<StoredEntry, void, undefined> {
    return this.#read((catalog) => catalog.list(namespace, options));
  }

  /** {@inheritDoc TierCatalog.delete} */
  delete(entry: Entry, options: CallOptions): Promise<Deleted> {
    return this.#ask((catalog) => catalog.delete(entry, options));
  }

  /** {@inheritDoc TierCatalog.remove} */
  remove(
    namespace: string,
    selection: Selection,
    options: CallOptions,
  ): AsyncGenerator<Removed, void, undefined> {
    return this.#read((catalog) =>
      catalog.remove(namespace, selection, options)
    );
  }

  async #ask<T>(run: (catalog: TierCatalog) => Promise<T>): Promise<T> {
    let failure: unknown;
    for (const door of this.#doors) {
      try {
        return await run(catalogOf(door));
      } catch (error) {
        if (!hasCode(error, "unavailable")) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  /** One that fails midway is not replaced: the others would begin anew. */
  async *#read<T>(
    run: (catalog: TierCatalog) => AsyncGenerator<T, void, undefined>,
  ): AsyncGenerator<T, void, undefined> {
    let failure: unknown;
    for (const door of this.#doors) {
      let hasBegun = false;
      try {
        for await (const item of run(catalogOf(door))) {
          hasBegun = true;
          yield item;
        }
        return;
      } catch (error) {
        if (hasBegun || !hasCode(error, "unavailable")) throw error;
        failure = error;
      }
    }
    throw failure;
  }
}

/** The catalogs of several tiers: what is deleted has to be gone from each. */
export class AllCatalogs implements TierCatalog {
  readonly #tiers: readonly Catalogued[];

  /** From the fastest tier to the largest. */
  constructor(tiers: readonly Catalogued[]) {
    this.#tiers = tiers;
  }

  /** What the first tier knows that has it. */
  async stat(
    entry: Entry,
    options: CallOptions,
  ): Promise<StoredEntry | undefined> {
    let failure: unknown;
    for (const { catalog } of this.#tiers) {
      try {
        const found = await catalog?.stat(entry, options);
        if (found) return found;
      } catch (error) {
        if (!hasCode(error, "unavailable")) throw error;
        failure = error;
      }
    }
    if (failure) throw failure;
    return undefined;
  }

  /** What the last tier lists, which keeps the most. */
  async *list(
    namespace: string,
    options: CallOptions,
  ): AsyncGenerator<StoredEntry, void, undefined> {
    yield* catalogOf(this.#tiers.at(-1)!).list(namespace, options);
  }

  /** Deletes it in each; fails when one could not be asked. */
  async delete(entry: Entry, options: CallOptions): Promise<Deleted> {
    const all: Deleted[] = [];
    let failure: unknown;
    for (const tier of this.#tiers) {
      try {
        all.push(await catalogOf(tier).delete(entry, options));
      } catch (error) {
        options.signal?.throwIfAborted();
        failure = error;
      }
    }
    if (failure) throw failure;
    return (["in-use", "deleted"] as const).find((each) =>
      all.includes(each)
    ) ?? "absent";
  }

  /** Removes from each, the largest first; fails when one could not be asked. */
  async *remove(
    namespace: string,
    selection: Selection,
    options: CallOptions,
  ): AsyncGenerator<Removed, void, undefined> {
    let failure: unknown;
    for (const tier of this.#tiers.toReversed()) {
      try {
        yield* catalogOf(tier).remove(namespace, selection, options);
      } catch (error) {
        options.signal?.throwIfAborted();
        failure = error;
      }
    }
    if (failure) throw failure;
  }
}

function catalogOf({ name, catalog }: Catalogued): TierCatalog {
  if (catalog) return catalog;
  throw new CacheError(
    "unimplemented",
    `${name}: it has no catalog of what it keeps`,
  );
}
