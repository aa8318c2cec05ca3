/**
 * The calls of `larder.v1.Cache` that look at what is kept, or take it away.
 *
 * @module
 */

import {
  type ServiceDefinition,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import type { AskOptions, Entry } from "./backend.ts";
import type { Deleted, Removed, Selection, StoredEntry } from "./catalog.ts";
import type { Channel } from "./channel.ts";
import { loadService } from "./services.ts";

/** A server that has not answered by then is not there. */
const TIMEOUT_MS = 10_000;

/** A page, and where the next one begins; `""`: it was the last. */
export interface CatalogPage<T> {
  readonly items: readonly T[];
  readonly next: string;
}

/** The service on a channel. Errors are those of grpc-js. */
export class V1Catalog {
  readonly #channel: Channel;
  readonly #service: ServiceDefinition;

  /** Sends nothing yet. */
  constructor(channel: Channel) {
    this.#channel = channel;
    this.#service = loadService("larder/v1/cache.proto", "larder.v1.Cache");
  }

  /** One entry; `undefined`: there is none. */
  async stat(
    { namespace, key }: Entry,
    options: AskOptions,
  ): Promise<StoredEntry | undefined> {
    try {
      const request = { namespace, key };
      return toStored(await this.#call("Stat", request, options));
    } catch (error) {
      if (hasStatus(error, status.NOT_FOUND)) return undefined;
      throw error;
    }
  }

  /** Entries of a namespace. */
  async list(
    namespace: string,
    pageToken: string,
    options: AskOptions,
  ): Promise<CatalogPage<StoredEntry>> {
    const { entries, nextPageToken } = await this.#call<
      { entries: readonly EntryMessage[]; nextPageToken: string }
    >("List", { namespace, pageToken }, options);
    return { items: entries.map(toStored), next: nextPageToken };
  }

  /** Takes the value of an entry away. */
  async delete(
    { namespace, key }: Entry,
    options: AskOptions,
  ): Promise<Deleted> {
    try {
      const request = { namespace, key };
      const { deleted } = await this.#call<{ deleted: boolean }>(
        "Delete",
        request,
        options,
      );
      return deleted ? "deleted" : "absent";
    } catch (error) {
      if (hasStatus(error, status.FAILED_PRECONDITION)) return "in-use";
      throw error;
    }
  }

  /** Takes a page of what is meant away. */
  async remove(
    namespace: string,
    { prefix, olderThanMs = 0, unreadForMs = 0, dryRun = false }: Selection,
    pageToken: string,
    options: AskOptions,
  ): Promise<CatalogPage<Removed>> {
    const reply = await this.#call<Record<string, string>>("Remove", {
      namespace,
      ...prefix && { prefix },
      olderThanMs: Math.ceil(olderThanMs),
      unreadForMs: Math.ceil(unreadForMs),
      dryRun,
      pageToken,
    }, options);
    const removed = {
      entries: Number(reply["entries"]),
      bytes: Number(reply["bytes"]),
      inUse: Number(reply["inUse"]),
    };
    return { items: [removed], next: reply["nextPageToken"] ?? "" };
  }

  async #call<Reply>(
    method: string,
    request: object,
    options: AskOptions,
  ): Promise<Reply> {
    return await this.#channel.unary<Reply>(this.#service[method]!, request, {
      timeoutMs: TIMEOUT_MS,
      ...options,
    });
  }
}

/** `EntryInfo`, as the loader of protos gives it. */
interface EntryMessage extends Entry {
  readonly status: number;
  readonly size: string;
  readonly sha256: Uint8Array;
  readonly createdMs: string;
  readonly accessedMs: string;
  readonly expiresMs: string;
  readonly computedMs: string;
}

const STATUS = ["unknown", "loading", "ready", "evicting", "expired"] as const;

function toStored(message: EntryMessage): StoredEntry {
  const { namespace, key, sha256, status: at } = message;
  return {
    namespace,
    key: new Uint8Array(key),
    status: STATUS[at] ?? "unknown",
    size: Number(message.size),
    sha256: new Uint8Array(sha256),
    createdMs: Number(message.createdMs),
    accessedMs: Number(message.accessedMs),
    expiresMs: Number(message.expiresMs),
    computedMs: Number(message.computedMs),
  };
}

function hasStatus(error: unknown, code: status): boolean {
  return (error as Partial<ServiceError>).code === code;
}
