/**
 * The methods of `larder.v1.Cache` that look at what is kept, or take it away.
 *
 * @module
 */

import type { EntryInfo } from "../engine/catalog.ts";
import { MemoryBudget } from "../engine/memory_budget.ts";
import { doingsPicture, statusPicture } from "../engine/pictures.ts";
import type { Call, UnaryHandler } from "../grpc/call.ts";
import { release } from "../grpc/release.ts";
import type { GrpcServer } from "../grpc/server.ts";
import {
  MAX_KEY_BYTES,
  MAX_LISTED_BYTES,
  MAX_LISTED_ENTRIES,
  MAX_SHOWN_WORK,
  MAX_STAT_BYTES,
} from "../limits.ts";
import type { CacheServiceOptions } from "./cache_options.ts";
import {
  type DeleteRequest,
  type EntryInfoMessage,
  type EntryRequest,
  type ListRequest,
  type RemoveRequest,
  STATUS,
  type UsageRequest,
} from "./cache_wire.ts";
import type { Methods } from "./protos.ts";
import { takeMemory } from "./reply_memory.ts";
import {
  demand,
  demandAnywhere,
  demandEverywhere,
  demandWatch,
  may,
  mayEverywhere,
} from "./rights.ts";
import { toStatusError } from "./status.ts";

/** An entry or a namespace of a reply beside its key or name: object and fields. */
const ITEM_BYTES = 512;

/** Adds them to a server. */
export function addAdministration(
  server: GrpcServer,
  methods: Methods,
  { budget, catalog, version }: Pick<
    CacheServiceOptions,
    "budget" | "catalog" | "version"
  >,
): void {
  // One at a time, the connections in turn: what is on its way from the manifest
  // is counted nowhere.
  const turns = new MemoryBudget({ totalBytes: 1 });
  const removals = new MemoryBudget({ totalBytes: 1 });
  const stats = new MemoryBudget({ totalBytes: MAX_STAT_BYTES });
  async function inTurn<T>(call: Call, work: () => Promise<T>): Promise<T> {
    using _ = await turns.take(call.connection, 1, call.signal);
    return await work();
  }
  function add<Request, Response>(
    name: string,
    answer: (request: Request, call: Call) => Promise<Response>,
  ): void {
    server.unary(methods<Request, Response>(name), answered(answer));
  }
  add("Stat", async ({ namespace, key }: EntryRequest, call) => {
    demand(call, "read", namespace);
    // Of the request and of the reply, as objects and as messages.
    await takeMemory(stats, call, 4 * key.length);
    await takeMemory(budget, call, 4 * key.length);
    const looked = catalog.stat(namespace, key);
    // It has a copy by now. With the key goes the message that it lies in.
    release(key);
    return infoMessage(await looked);
  });
  add("List", async (request: ListRequest, call) => {
    const { namespace, pageSize, pageToken: token } = request;
    demand(call, "read", namespace);
    await takeMemory(budget, call, pageBytes(pageSize));
    const page = await inTurn(
      call,
      () => catalog.list(namespace, { pageSize, token }),
    );
    return {
      entries: page.items.map(infoMessage),
      nextPageToken: page.cursor ?? "",
    };
  });
  add("Usage", async (request: UsageRequest, call) => {
    const { pageSize, pageToken: token } = request;
    demandAnywhere(call, "read");
    await takeMemory(budget, call, 2 * itemsBytes(pageSize));
    const { namespaces, ...doings } = await inTurn(
      call,
      () =>
        catalog.totals(
          { pageSize, token },
          (namespace) => may(call, "read", namespace),
        ),
    );
    return {
      namespaces: namespaces.items,
      nextPageToken: namespaces.cursor ?? "",
      version,
      // They are sums of what others do.
      ...mayEverywhere(call, "admin") && doingsPicture(doings),
    };
  });
  add("Status", async (_: object, call) => {
    demandWatch(call);
    await takeMemory(budget, call, 2 * MAX_SHOWN_WORK * ITEM_BYTES);
    return statusPicture(await catalog.status(), version);
  });
  add("Delete", async ({ namespace, key, sha256 }: DeleteRequest, call) => {
    demand(call, "admin", namespace);
    return { deleted: await catalog.delete(namespace, key, sha256) };
  });
  add("Remove", async (request: RemoveRequest, call) => {
    const { namespace, prefix, dryRun, pageToken: token } = request;
    demand(call, "admin", namespace);
    await takeMemory(budget, call, pageBytes(0));
    // Not in turn with those who only look: a page of it takes its time.
    using _ = await removals.take(call.connection, 1, call.signal);
    const { cursor, ...counts } = await catalog.remove(namespace, {
      prefix,
      ...duration("olderThanMs", request.olderThanMs),
      ...duration("unreadForMs", request.unreadForMs),
    }, { dryRun, token });
    return { ...counts, nextPageToken: cursor ?? "" };
  });
  add("Sweep", async (_: object, call) => {
    demandEverywhere(call, "admin");
    const { entries, bytes } = await catalog.sweep();
    return { evictedEntries: entries, evictedBytes: bytes };
  });
}

/** Makes the handler of a method whose request takes nothing that a cancelled call should give back. */
function answered<Request, Response>(
  answer: (request: Request, call: Call) => Promise<Response>,
): UnaryHandler<Request, Response> {
  return async (request, call) => {
    try {
      return await answer(request, call);
    } catch (error) {
      throw toStatusError(error);
    }
  };
}

/** A duration, where one was given. */
function duration<Name extends string>(
  name: Name,
  ms: string,
): { readonly [name in Name]?: number } {
  return ms === "0" ? {} : { [name]: Number(ms) } as Record<Name, number>;
}

/** What a page of so many entries takes, at most. */
function pageBytes(pageSize: number): number {
  const entries = itemsOf(pageSize);
  const keyBytes = Math.min(entries * MAX_KEY_BYTES, MAX_LISTED_BYTES);
  // As objects, and as the message that is made of them.
  return 2 * (keyBytes + itemsBytes(pageSize));
}

function itemsBytes(pageSize: number): number {
  return itemsOf(pageSize) * ITEM_BYTES;
}

function itemsOf(pageSize: number): number {
  return Math.min(pageSize || MAX_LISTED_ENTRIES, MAX_LISTED_ENTRIES);
}

function infoMessage(info: EntryInfo): EntryInfoMessage {
  const { namespace, key, status, sha256, name: _, ...rest } = info;
  return {
    ...rest,
    namespace,
    key,
    status: STATUS[status],
    ...sha256 !== undefined && { sha256: Uint8Array.fromHex(sha256) },
  };
}
