/**
 * The methods of `larder.v1.Cache` that look at what is kept, or take it away.
 *
 * @module
 */

import type {
  handleUnaryCall,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import type { EntryInfo } from "../engine/catalog.ts";
import type { CacheServiceOptions } from "./cache_options.ts";
import {
  type EntryInfoMessage,
  type EntryRequest,
  type ListRequest,
  STATUS,
} from "./cache_wire.ts";
import { toGrpcError } from "./status.ts";
import { Malformed } from "./strict_wire.ts";

/** The handlers. */
export function administration(
  { catalog, version }: Pick<CacheServiceOptions, "catalog" | "version">,
): UntypedServiceImplementation {
  return {
    stat: answered(async ({ namespace, key }: EntryRequest) =>
      infoMessage(await catalog.stat(namespace, key))
    ),
    list: answered(async (request: ListRequest) => {
      const { namespace, pageSize, pageToken: token } = request;
      const page = await catalog.list(namespace, { pageSize, token });
      return {
        entries: page.items.map(infoMessage),
        nextPageToken: page.cursor ?? "",
      };
    }),
    usage: answered(async () => {
      const { namespaces, counts, evicted, damaged } = await catalog.totals();
      const { loading, publishing, handles, waiting } = counts;
      return {
        namespaces,
        loading,
        publishing,
        handles,
        waiting,
        evictedEntries: evicted.entries,
        evictedBytes: evicted.bytes,
        damaged,
        version,
      };
    }),
    delete: answered(async ({ namespace, key }: EntryRequest) => ({
      deleted: await catalog.delete(namespace, key),
    })),
    sweep: answered(async () => {
      const { entries, bytes } = await catalog.sweep();
      return { evictedEntries: entries, evictedBytes: bytes };
    }),
  };
}

/** Makes the handler of a method whose request takes nothing that a cancelled call should give back. */
function answered<Request, Response>(
  answer: (request: Request) => Promise<Response>,
): handleUnaryCall<Request | Malformed, Response> {
  return ({ request }, callback) => {
    const answering = request instanceof Malformed
      ? Promise.reject(request.error)
      : answer(request);
    answering.then(
      (response) => callback(null, response),
      (error) => callback(toGrpcError(error)),
    );
  };
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
