/**
 * The catalog of one server: tries again while it is away.
 *
 * @module
 */

import type { AskOptions, Backend, CallOptions, Entry } from "./backend.ts";
import { asCacheError, CacheError } from "./cache_error.ts";
import type { CallEffort } from "./call_effort.ts";
import type {
  Deleted,
  Removed,
  Selection,
  StoredEntry,
  TierCatalog,
} from "./catalog.ts";
import type { CatalogPage, V1Catalog } from "./v1_catalog.ts";

/** The server that is asked. */
interface Server {
  readonly name: string;
  call<T>(
    action: string,
    run: (backend: Backend, options: AskOptions) => Promise<T>,
    options?: CallEffort,
  ): Promise<T>;
}

/** Looks at what a server keeps. */
export class ConnectionCatalog implements TierCatalog {
  readonly #server: Server;
  readonly #v1: V1Catalog;

  /** Sends nothing yet. */
  constructor(server: Server, v1: V1Catalog) {
    this.#server = server;
    this.#v1 = v1;
  }

  /** {@inheritDoc TierCatalog.stat} */
  stat(entry: Entry, options: CallOptions): Promise<StoredEntry | undefined> {
    return this.#call(
      "look an entry up",
      options,
      (options) => this.#v1.stat(entry, options),
    );
  }

  /** {@inheritDoc TierCatalog.list} */
  list(
    namespace: string,
    options: CallOptions,
  ): AsyncGenerator<StoredEntry, void, undefined> {
    return this.#pages(
      "list the entries",
      options,
      (token, options) => this.#v1.list(namespace, token, options),
    );
  }

  /** {@inheritDoc TierCatalog.delete} */
  delete(entry: Entry, options: CallOptions): Promise<Deleted> {
    return this.#call(
      "delete a value",
      options,
      (options) => this.#v1.delete(entry, options),
    );
  }

  /** {@inheritDoc TierCatalog.remove} */
  remove(
    namespace: string,
    selection: Selection,
    options: CallOptions,
  ): AsyncGenerator<Removed, void, undefined> {
    return this.#pages(
      "remove values",
      options,
      (token, options) => this.#v1.remove(namespace, selection, token, options),
    );
  }

  async *#pages<T>(
    action: string,
    options: CallOptions,
    run: (token: string, options: AskOptions) => Promise<CatalogPage<T>>,
  ): AsyncGenerator<T, void, undefined> {
    let token = "";
    do {
      const page = await this.#call(
        action,
        options,
        (options) => run(token, options),
      );
      yield* page.items;
      token = page.next;
    } while (token !== "");
  }

  /**
   * A server that lacks a call of these may well have the others: it is not
   * taken for an original.
   */
  async #call<T>(
    action: string,
    { signal }: CallOptions,
    run: (options: AskOptions) => Promise<T>,
  ): Promise<T> {
    const { name } = this.#server;
    const outcome = await this.#server.call<
      { readonly value: T } | { readonly missing: unknown }
    >(action, async (_, options) => {
      try {
        return { value: await run(options) };
      } catch (error) {
        const { code } = asCacheError(error, name);
        if (code === "unimplemented") return { missing: error };
        throw error;
      }
    }, { signal });
    if ("value" in outcome) return outcome.value;
    throw new CacheError(
      "unimplemented",
      `${name}: cannot ${action}: the server is an original, or an older ` +
        "Larder, and has no call for it",
      { cause: outcome.missing },
    );
  }
}
