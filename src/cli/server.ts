/**
 * The server that the command line talks to.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Entry } from "../client/backend.ts";
import {
  asCacheError,
  type CacheError,
  hasCode,
} from "../client/cache_error.ts";
import { Cache } from "../client/cache.ts";
import type { StoredEntry } from "../client/catalog.ts";
import { Channel } from "../client/channel.ts";
import { loadService } from "../client/services.ts";
import { V1Catalog } from "../client/v1_catalog.ts";
import { Silence } from "./silence.ts";
import { type Addresses, listenersOf } from "./addresses.ts";
import { securityOf, securityOptions } from "./security.ts";
import {
  type NamespaceUsage,
  numbers,
  type Picture,
  pictureOf,
  type State,
  type Status,
  statusOf,
  usageOf,
} from "./picture.ts";

/** A server that has not answered by then does not. */
const TIMEOUT_MS = 10_000;
/** What a large value begins with is told once all of it is verified. */
const HEAD_TIMEOUT_MS = 2_000;
/** A sweep looks at everything there is. */
const SWEEP_TIMEOUT_MS = 600_000;

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

/** What of the reply to a Fetch has bytes. */
interface Part {
  readonly ready?: { readonly value?: Uint8Array };
  readonly chunk?: Uint8Array;
}

/** A server's values, through the library, and its administration. */
export class Server implements AsyncDisposable {
  /** Gets and puts values. */
  readonly cache: Cache;
  readonly #channels: readonly (readonly [string, Channel])[];
  readonly #service = loadService("larder/v1/cache.proto", "larder.v1.Cache");

  private constructor(
    cache: Cache,
    channels: readonly (readonly [string, Channel])[],
  ) {
    this.cache = cache;
    this.#channels = channels;
  }

  /** Connects with the first call. */
  static async at(addresses: Addresses): Promise<Server> {
    // Before the library does: what is wrong is said in words of the command line.
    const channels = listenersOf(addresses).map((listener) => {
      const { address } = listener;
      return [address, new Channel(address, securityOf(listener))] as const;
    });
    const cache = await Cache.connect({
      ...addresses,
      ...securityOptions(),
      // What is away is told by the command, in its own words.
      onOutage: () => {},
    });
    return new Server(cache, channels);
  }

  /** What is known of an entry; `undefined`: there is none. */
  async stat(entry: Entry): Promise<StoredEntry | undefined> {
    return await this.#ask((channel) => new V1Catalog(channel).stat(entry, {}));
  }

  /** The first bytes of a value; none where there is no value. */
  async head(entry: Entry, length: number): Promise<Uint8Array> {
    const method = this.#service["Fetch"]!;
    return await this.#ask(async (channel) => {
      const pieces: Uint8Array[] = [];
      const signal = AbortSignal.timeout(HEAD_TIMEOUT_MS);
      const request = { ...entry, length };
      const replies = channel.serverStream<Part>(method, request, { signal });
      for await (const { ready, chunk } of replies) {
        // A small value is in the first message.
        const piece = chunk ?? ready?.value;
        if (piece) pieces.push(piece);
      }
      return Buffer.concat(pieces);
    });
  }

  /** The entries of a namespace, in the order of their keys. */
  async *list(namespace: string): AsyncGenerator<StoredEntry, void, undefined> {
    let pageToken = "";
    do {
      const { items, next } = await this.#ask((channel) =>
        new V1Catalog(channel).list(namespace, pageToken, {})
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
      namespaces.push(...some.filter(({ entries }) => entries > 0));
      last = state;
    }
    return { ...last!, namespaces };
  }

  /** What the server is doing; how long that may take. */
  async state(timeoutMs: number = TIMEOUT_MS): Promise<State> {
    return await this.#usagePage({ pageSize: 1 }, timeoutMs);
  }

  /** The namespaces that hold any entry, in the order of their names. */
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
        & { namespaces: readonly Parameters<typeof usageOf>[0][] }
      >("Usage", request, timeoutMs);
    return {
      namespaces: namespaces.map(usageOf),
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
    type Message = Parameters<typeof statusOf>[0];
    return statusOf(await this.#call<Message>("Status", {}));
  }

  /**
   * Pictures of what the server is doing, until the signal is aborted; then it
   * ends, and throws nothing.
   */
  async *watch(
    intervalMs: number,
    signal: AbortSignal,
  ): AsyncGenerator<Picture, void, undefined> {
    type Message = Parameters<typeof pictureOf>[0];
    let failure: CacheError | undefined;
    for (const [address, channel] of this.#channels) {
      let isAnswered = false;
      using silence = new Silence(intervalMs + TIMEOUT_MS, signal);
      try {
        const replies = channel.serverStream<Message>(
          this.#service["Watch"]!,
          { intervalMs },
          { signal: silence.signal },
        );
        for await (const reply of replies) {
          isAnswered = true;
          silence.end();
          yield pictureOf(reply);
          silence.begin();
        }
        return;
      } catch (error) {
        if (signal.aborted) return;
        failure = asCacheError(error, address);
        if (isAnswered || !hasCode(failure, "unavailable")) throw failure;
      }
    }
    throw failure;
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
    return await this.#ask((channel) =>
      channel.unary<Reply>(definition, request, { timeoutMs })
    );
  }

  /** Asks at the first address that answers; the others are the same server's. */
  async #ask<T>(run: (channel: Channel) => Promise<T>): Promise<T> {
    let failure: CacheError | undefined;
    for (const [address, channel] of this.#channels) {
      try {
        return await run(channel);
      } catch (error) {
        failure = asCacheError(error, address);
        if (!hasCode(failure, "unavailable")) throw failure;
      }
    }
    throw failure;
  }
}
