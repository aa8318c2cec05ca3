/**
 * A plain grpc-js client of `larder.v1.Cache`, with promises.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import type { ServiceDefinition } from "@grpc/grpc-js";
import * as protoLoader from "@grpc/proto-loader";
import { bytesOf } from "../support/clients.ts";
import {
  type CallOptions,
  GrpcClient,
  methodOf,
} from "../support/grpc_client.ts";
import { NotAssigned, whileRoomIsMade } from "../support/room.ts";

const PROTO = new URL("../../proto/larder/v1/cache.proto", import.meta.url);
const OPTIONS = { longs: String, oneofs: true, defaults: true } as const;
/** The service; its methods by name. */
export const SERVICE = protoLoader.loadSync(
  fileURLToPath(PROTO),
  OPTIONS,
)["larder.v1.Cache"] as ServiceDefinition;

/** One message of a Fetch. */
export interface FetchReply {
  readonly reply: "waiting" | "assigned" | "unassigned" | "ready" | "chunk";
  readonly waiting?: { readonly holder: string; readonly computingMs: string };
  readonly assigned?: Assigned;
  readonly unassigned?: { readonly reason: string };
  readonly ready?: {
    readonly size: string;
    readonly sha256: Uint8Array;
    readonly handle: string;
    readonly path: string;
    readonly computedMs: string;
    readonly ttlMs: string;
    readonly value: Uint8Array;
  };
  readonly chunk?: Uint8Array;
}

/** Work that was taken on. */
export interface Assigned {
  readonly id: string;
  readonly heartbeatIntervalMs: string;
  readonly path: string;
}

/** What may be asked for beside namespace and key. */
export interface FetchOptions {
  readonly assign?: boolean;
  readonly wait?: boolean;
  readonly path?: boolean;
  readonly offset?: number | string;
  readonly length?: number | string;
  readonly head?: boolean;
  readonly fromDisk?: boolean;
  readonly ttlMs?: number;
}

/** A Fetch that is under way. */
export interface Fetching extends AsyncIterable<FetchReply> {
  cancel(): void;
}

/** What a Fetch came to. */
export interface Fetched {
  /** Who had the work meanwhile. */
  readonly waiting: readonly (FetchReply & { waiting: unknown })[];
  /** The message that was neither that nor a piece. */
  readonly last: FetchReply;
  readonly chunks: readonly Uint8Array[];
  /** All the chunks. */
  readonly bytes: Uint8Array;
}

/** `PublishEnd`. */
export interface End {
  readonly size: number;
  readonly sha256: Uint8Array;
}

/** A client over one connection. */
export class CacheClient extends GrpcClient {
  /** Calls a unary method. */
  call<T>(name: string, request: object = {}): Promise<T> {
    return this.unary(methodOf(SERVICE, name), request);
  }

  /** Begins a Fetch; assigns and waits unless told otherwise. */
  fetch(namespace: string, key: string, options: FetchOptions = {}): Fetching {
    const request = { namespace, key: bytesOf(key), assign: true, wait: true };
    return this.replies<FetchReply>(methodOf(SERVICE, "Fetch"), {
      ...request,
      ...options,
    });
  }

  /** A Fetch to its end. */
  async fetched(
    namespace: string,
    key: string,
    options: FetchOptions = {},
  ): Promise<Fetched> {
    return await drained(this.fetch(namespace, key, options));
  }

  /** Expects to be assigned, however slow the disk is. */
  assigned(
    namespace: string,
    key: string,
    options: FetchOptions = {},
  ): Promise<Assigned> {
    return whileRoomIsMade(async () => {
      const { last } = await this.fetched(namespace, key, options);
      if (last.assigned) return last.assigned;
      throw new NotAssigned(`expected assigned for ${key}, got ${last.reply}`);
    });
  }

  /** Publishes a value in pieces; waits where the server is slower. */
  async publish(
    id: string,
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    /** What End says that is not the truth. */
    lie: Partial<End> = {},
  ): Promise<{ readonly size: string; readonly sha256: Uint8Array }> {
    async function* parts() {
      yield { begin: { id } };
      const hash = createHash("sha256");
      let size = 0;
      for await (const chunk of chunks) {
        hash.update(chunk);
        size += chunk.length;
        yield { chunk };
      }
      yield { end: { size, sha256: new Uint8Array(hash.digest()), ...lie } };
    }
    return await this.publishParts(parts());
  }

  /** Publishes the file at the assigned path. */
  async publishPath(id: string): Promise<{ readonly size: string }> {
    return await this.publishParts([{ begin: { id, path: true } }, {
      end: {},
    }]);
  }

  /** Sends any messages to Publish. */
  publishParts<T>(
    parts: AsyncIterable<object> | Iterable<object>,
    options?: CallOptions,
  ): Promise<T> {
    return this.requests(methodOf(SERVICE, "Publish"), parts, options);
  }

  /** Takes the work on and publishes it. */
  async put(
    namespace: string,
    key: string,
    value: string | Uint8Array,
  ): Promise<string> {
    const { id } = await this.assigned(namespace, key);
    await this.publish(id, [bytesOf(value)]);
    return id;
  }
}

/** Reads a Fetch to its end. */
export async function drained(fetching: Fetching): Promise<Fetched> {
  const waiting: (FetchReply & { waiting: unknown })[] = [];
  const chunks: Uint8Array[] = [];
  let last: FetchReply | undefined;
  for await (const reply of fetching) {
    if (reply.waiting) waiting.push({ ...reply, waiting: reply.waiting });
    else if (reply.chunk) chunks.push(reply.chunk);
    else {
      last = reply;
      if (reply.ready?.value.length) chunks.push(reply.ready.value);
    }
  }
  const bytes = new Uint8Array(
    await new Blob(chunks as BlobPart[]).arrayBuffer(),
  );
  return { waiting, last: last ?? waiting.at(-1)!, chunks, bytes };
}

/** A Publish that stops in the middle, until it may end. */
export async function* halfPublish(
  id: string,
  mayEnd: Promise<void>,
): AsyncGenerator<object> {
  yield { begin: { id } };
  for (let sent = 0; sent < 2; sent++) {
    yield { chunk: new Uint8Array(1024 * 1024) };
  }
  await mayEnd;
}

/** The SHA-256 of some bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

/** The first message of a Fetch; the others can be read later. */
export async function first(
  fetching: Fetching,
): Promise<{ readonly reply: FetchReply; readonly rest: Fetching }> {
  const iterator = fetching[Symbol.asyncIterator]();
  const { value } = await iterator.next();
  const rest = {
    cancel: () => fetching.cancel(),
    [Symbol.asyncIterator]: () => iterator,
  };
  return { reply: value, rest };
}
