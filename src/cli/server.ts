/**
 * The server that the command line talks to.
 *
 * @module
 */

import type { Entry } from "../client/backend.ts";
import {
  asCacheError,
  type CacheError,
  hasCode,
} from "../client/cache_error.ts";
import { Cache } from "../client/cache.ts";
import type { StoredEntry } from "../client/catalog.ts";
import { Channel, loadService } from "../client/channel.ts";
import { V1Catalog } from "../client/v1_catalog.ts";
import type { Addresses } from "./addresses.ts";
import { securityOf, securityOptions } from "./security.ts";

/** A server that has not answered by then does not. */
const TIMEOUT_MS = 10_000;
/** A sweep looks at everything there is. */
const SWEEP_TIMEOUT_MS = 600_000;

/** Ready entries of a namespace. */
export interface NamespaceUsage {
  readonly namespace: string;
  readonly entries: number;
  readonly bytes: number;
}

/** What the server is doing. */
export interface State {
  readonly loading: number;
  readonly publishing: number;
  readonly handles: number;
  readonly waiting: number;
  readonly evictedEntries: number;
  readonly evictedBytes: number;
  readonly damaged: number;
  readonly hits: number;
  readonly misses: number;
  readonly savedMs: number;
  readonly version: string;
}

/** Work that somebody has. */
export interface UnderWay {
  readonly namespace: string;
  /** For people; cut off where it is long. */
  readonly key: string;
  /** Where its holder calls from; empty: not known. */
  readonly holder: string;
  readonly computingMs: number;
  /** Calls that wait for it. */
  readonly waiting: number;
  readonly publishing: boolean;
}

/** What the server is doing, on one screen. */
export interface Status extends State {
  readonly upMs: number;
  readonly entries: number;
  readonly bytes: number;
  /** 0: no limit. */
  readonly maxEntries: number;
  readonly maxBytes: number;
  /** 0: not known. */
  readonly diskFreeBytes: number;
  readonly diskBytes: number;
  /** Why no value can be kept; empty: there is no trouble. */
  readonly trouble: string;
  /** What takes longest. */
  readonly underWay: readonly UnderWay[];
}

/** The same, and what is kept. */
export interface Usage extends State {
  /** In the order of their names. */
  readonly namespaces: readonly NamespaceUsage[];
}

/** What a sweep took away. */
export interface Swept {
  readonly evictedEntries: number;
  readonly evictedBytes: number;
}

/** A server's values, through the library, and its administration. */
export class Server implements AsyncDisposable {
  /** Gets and puts values. */
  readonly cache: Cache;
  readonly #channels: readonly (readonly [string, Channel])[];
  readonly #service = loadService("larder/v1/cache.proto", "larder.v1.Cache");

  private constructor(cache: Cache, addresses: Addresses) {
    this.cache = cache;
    this.#channels = (["local", "remote"] as const).flatMap((kind) => {
      const address = addresses[kind];
      if (address === undefined) return [];
      return [[address, new Channel(address, securityOf(kind, address))]];
    });
  }

  /** Connects with the first call. */
  static async at(addresses: Addresses): Promise<Server> {
    // What is away is told by the command, in its own words.
    for (const kind of ["local", "remote"] as const) {
      const address = addresses[kind];
      // In the words of the command line.
      if (address !== undefined) securityOf(kind, address);
    }
    const cache = await Cache.connect({
      ...addresses,
      ...securityOptions(),
      onOutage: () => {},
    });
    return new Server(cache, addresses);
  }

  /** What is known of an entry; `undefined`: there is none. */
  async stat(entry: Entry): Promise<StoredEntry | undefined> {
    return await this.#ask(
      "Stat",
      (channel) => new V1Catalog(channel).stat(entry, {}),
    );
  }

  /** The entries of a namespace, in the order of their keys. */
  async *list(namespace: string): AsyncGenerator<StoredEntry, void, undefined> {
    let pageToken = "";
    do {
      const { items, next } = await this.#ask(
        "List",
        (channel) => new V1Catalog(channel).list(namespace, pageToken, {}),
      );
      yield* items;
      pageToken = next;
    } while (pageToken !== "");
  }

  /** What is kept, and what the server is doing. */
  async usage(): Promise<Usage> {
    const namespaces: NamespaceUsage[] = [];
    let last: State | undefined;
    for await (const { namespaces: some, ...state } of this.#usagePages()) {
      namespaces.push(...some);
      last = state;
    }
    return { ...last!, namespaces };
  }

  /** What the server is doing; how long that may take. */
  async state(timeoutMs: number = TIMEOUT_MS): Promise<State> {
    return await this.#usagePage({ pageSize: 1 }, timeoutMs);
  }

  /** The namespaces that hold ready entries, in the order of their names. */
  async *namespaces(): AsyncGenerator<string, void, undefined> {
    for await (const { namespaces } of this.#usagePages()) {
      for (const { namespace } of namespaces) yield namespace;
    }
  }

  async *#usagePages(): AsyncGenerator<Usage, void, undefined> {
    let pageToken = "";
    do {
      const { next, ...usage } = await this.#usagePage({ pageToken });
      yield usage;
      pageToken = next;
    } while (pageToken !== "");
  }

  async #usagePage(
    request: { readonly pageSize?: number; readonly pageToken?: string },
    timeoutMs?: number,
  ): Promise<Usage & { readonly next: string }> {
    const { namespaces, version, nextPageToken: next, ...counts } = await this
      .#call<
        & Record<string, string>
        & { namespaces: readonly Record<string, string>[] }
      >("Usage", request, timeoutMs);
    return {
      namespaces: namespaces.map(({ namespace, entries, bytes }) => ({
        namespace,
        entries: Number(entries),
        bytes: Number(bytes),
      })),
      ...numbers(counts),
      version,
      next,
    } as unknown as Usage & { readonly next: string };
  }

  /** Removes an entry; whether there was one. */
  async delete(entry: Entry): Promise<boolean> {
    const { deleted } = await this.#call<{ deleted: boolean }>("Delete", entry);
    return deleted;
  }

  /** What the server is doing, on one screen. */
  async status(): Promise<Status> {
    const { underWay, version, trouble, ...counts } = await this.#call<
      & Record<string, string>
      & { underWay: readonly Record<string, string>[] }
    >("Status", {});
    return {
      ...numbers(counts),
      version,
      trouble,
      underWay: underWay.map(({ computingMs, waiting, ...work }) => ({
        ...work,
        ...numbers({ computingMs: computingMs!, waiting: waiting! }),
      })),
    } as unknown as Status;
  }

  /** Takes away what has to go. */
  async sweep(): Promise<Swept> {
    const counts = await this.#call<Record<string, string>>(
      "Sweep",
      {},
      SWEEP_TIMEOUT_MS,
    );
    return numbers(counts) as unknown as Swept;
  }

  /** Ends the connections; gives work back. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.cache.close();
    for (const [, channel] of this.#channels) channel.close();
  }

  async #call<Reply>(
    method: string,
    request: object,
    timeoutMs = TIMEOUT_MS,
  ): Promise<Reply> {
    const definition = this.#service[method]!;
    return await this.#ask(
      method,
      (channel) => channel.unary<Reply>(definition, request, { timeoutMs }),
    );
  }

  /** Asks at the first address that answers; the others are the same server's. */
  async #ask<T>(
    method: string,
    run: (channel: Channel) => Promise<T>,
  ): Promise<T> {
    let failure: CacheError | undefined;
    for (const [address, channel] of this.#channels) {
      try {
        return await run(channel);
      } catch (error) {
        failure = asCacheError(error, `${address}: ${method.toLowerCase()}`);
        if (!hasCode(failure, "unavailable")) throw failure;
      }
    }
    throw failure;
  }
}

function numbers(counts: Record<string, string>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(counts).map(([name, text]) => [name, Number(text)]),
  );
}
