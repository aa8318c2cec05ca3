/**
 * Real gRPC clients of both services, with promises.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import type { ClientOptions, ServiceDefinition } from "@grpc/grpc-js";
import * as protoLoader from "@grpc/proto-loader";
import { type CallOptions, GrpcClient, methodOf } from "./grpc_client.ts";
import { NotAssigned, whileRoomIsMade } from "./room.ts";
import { until } from "./status.ts";

/** Which of its fields a GetReply has, and that field. */
export interface GetReply {
  entryStatus: "unassigned" | "assign" | "loading" | "ready";
  assign?: { id: string; path: string; heartbeatIntervalMs: string };
  ready?: { id: string; path: string } | Uint8Array;
}

const PROTO = fileURLToPath(new URL("../../proto/", import.meta.url));
const OPTIONS = { longs: String, oneofs: true } as const;

function load(file: string, name: string): ServiceDefinition {
  return protoLoader.loadSync(PROTO + file, OPTIONS)[name] as ServiceDefinition;
}

const SERVICES = {
  local: load("local.proto", "local.LocalCache"),
  remote: load("remote.proto", "remote.RemoteCache"),
};

/** A client of one service over one connection. */
class CacheClient extends GrpcClient {
  readonly #service: ServiceDefinition;

  constructor(
    api: "local" | "remote",
    address: string,
    channel: ClientOptions = {},
  ) {
    super(address, { channel });
    this.#service = SERVICES[api];
  }

  /** Calls a method; rejects with grpc-js's ServiceError. */
  call<T>(name: string, request: object, options?: CallOptions): Promise<T> {
    return this.unary(methodOf(this.#service, name), request, options);
  }

  /** Asks for an entry. */
  get(
    namespace: string,
    key: string | Uint8Array,
    { assign = true, ...options }: CallOptions & { assign?: boolean } = {},
  ): Promise<GetReply> {
    const request = { namespace, key: bytesOf(key), assign };
    return this.call("Get", request, options);
  }

  /** Asks until the answer is not Loading, which a slow disk may answer first. */
  settled(
    namespace: string,
    key: string | Uint8Array,
    options: { assign?: boolean } = {},
  ): Promise<GetReply> {
    return until(
      () => this.get(namespace, key, options),
      ({ entryStatus }) => entryStatus !== "loading",
    );
  }

  /** Asks for an entry, and expects to be assigned, however slow the disk is. */
  assigned(
    namespace: string,
    key: string | Uint8Array,
  ): Promise<{ id: string; path: string; heartbeatIntervalMs: string }> {
    return whileRoomIsMade(async () => {
      const { assign, entryStatus } = await this.settled(namespace, key);
      if (assign) return assign;
      throw new NotAssigned(`expected assign for ${key}, got ${entryStatus}`);
    });
  }

  /** Renews a lease. */
  heartbeat(id: string): Promise<object> {
    return this.call("Heartbeat", { id });
  }
}

/** A client of `remote.RemoteCache`. */
export class RemoteClient extends CacheClient {
  constructor(address: string, options?: ClientOptions) {
    super("remote", address, options);
  }

  /** Publishes a value. */
  set(id: string, value: string | Uint8Array): Promise<object> {
    return this.call("Set", { id, value: bytesOf(value) });
  }

  /** The value, which is expected to be ready, however slow the disk is. */
  async value(
    namespace: string,
    key: string | Uint8Array,
  ): Promise<Uint8Array> {
    const reply = await this.settled(namespace, key, { assign: false });
    if (!(reply.ready instanceof Uint8Array)) {
      throw new Error(`expected ready for ${key}, got ${reply.entryStatus}`);
    }
    return reply.ready;
  }
}

/** A client of `local.LocalCache`. */
export class LocalClient extends CacheClient {
  constructor(address: string, options?: ClientOptions) {
    super("local", address, options);
  }

  /** Publishes the file at the assigned path. */
  done(id: string): Promise<object> {
    return this.call("Done", { id });
  }

  /** Releases a handle. */
  drop(id: string): Promise<object> {
    return this.call("Drop", { id });
  }

  /** The handle on the value, which is expected to be ready, however slow the disk is. */
  async handle(
    namespace: string,
    key: string | Uint8Array,
  ): Promise<{ id: string; path: string }> {
    const { entryStatus, ready } = await this.settled(namespace, key);
    if (!ready || ready instanceof Uint8Array) {
      throw new Error(`expected ready for ${key}, got ${entryStatus}`);
    }
    return ready;
  }
}

/** Text as bytes. */
export function bytesOf(text: string | Uint8Array): Uint8Array {
  return typeof text === "string" ? new TextEncoder().encode(text) : text;
}

/** Bytes as text. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
