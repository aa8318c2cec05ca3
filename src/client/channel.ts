/**
 * Calls over one connection, with promises and signals.
 *
 * @module
 */

import {
  Client,
  type ClientOptions,
  type ClientReadableStream,
  credentials,
  Metadata,
  type ServiceDefinition,
  type ServiceError,
  status,
  type StatusObject,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { Buffer } from "node:buffer";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { CallOptions } from "./backend.ts";
import { CacheError, hasCode } from "./cache_error.ts";
import { CallEnd } from "./call_end.ts";
import { guardDeno } from "./deno_guard.ts";
import { namingProxy, proxyOptions } from "./proxy.ts";
import { untilBroken } from "./until_broken.ts";

const OPTIONS: ClientOptions = {
  // A pool in common would hand a dead connection to the client that replaces it.
  "grpc.use_local_subchannel_pool": 1,
  // grpc-js tries again at once and for ever on a connection that ended while
  // it was being made, without letting timers run. We try again ourselves.
  "grpc.enable_retries": 0,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 2_000,
  // A server whose machine is gone says nothing: without pings a waiting call
  // would wait for ever.
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc.max_receive_message_length": -1,
  "grpc.max_send_message_length": -1,
};

const PROTO = new URL("../../proto/", import.meta.url);

/** Loads a service such as `remote.RemoteCache` from a file such as `remote.proto`. */
export function loadService(file: string, name: string): ServiceDefinition {
  const path = fileURLToPath(new URL(file, PROTO));
  // Ids do not fit a JavaScript number: they are decimal strings.
  return loadSync(path, { longs: String, oneofs: true, defaults: true })[
    name
  ] as ServiceDefinition;
}

/** How to make a call with one message each way. */
export interface UnaryOptions extends CallOptions {
  /** The longest that it may take. */
  readonly timeoutMs: number;
  /** Told, before the reply, what is aborted when the connection breaks. */
  readonly onReply?: ((broken: AbortSignal) => void) | undefined;
}

/** A connection that is made when it is needed, and made anew when it broke. */
export class Channel {
  readonly #address: string;
  #client: Client | undefined;
  #closed = false;

  /** Connects to `host:port` with the first call. */
  constructor(address: string) {
    guardDeno();
    this.#address = address;
  }

  /**
   * A call with one message each way.
   *
   * @param method Its definition.
   * @param request The message.
   * @param options When to end it, and who is told of the connection.
   */
  unary<Reply>(
    method: ServiceDefinition[string],
    request: object,
    { signal, timeoutMs, onReply }: UnaryOptions,
  ): Promise<Reply> {
    const client = this.#connected();
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const call = client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        new Metadata(),
        { deadline: Date.now() + timeoutMs },
        (error: ServiceError | null, reply?: Reply) => {
          end[Symbol.dispose]();
          if (error) return reject(this.#failed(client, end.reason(error)));
          onReply?.(untilBroken(client));
          resolve(reply as Reply);
        },
      );
      const end = new CallEnd(client, signal, () => call.cancel());
    });
  }

  /** A call that is answered with a stream. Whoever stops reading cancels it. */
  async *serverStream<Reply>(
    method: ServiceDefinition[string],
    request: object,
    { signal }: CallOptions,
  ): AsyncGenerator<Reply, void, undefined> {
    signal?.throwIfAborted();
    const client = this.#connected();
    const call: ClientReadableStream<Reply> = client
      .makeServerStreamRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
      );
    using end = new CallEnd(client, signal, () => call.cancel());
    // The error comes as an event of its own too, after the iteration ended.
    call.on("error", () => {});
    const ended = new Promise<StatusObject>((resolve) =>
      call.once("status", resolve)
    );
    try {
      for await (const reply of call) yield reply as Reply;
      const { code, details } = await ended;
      if (code !== 0) {
        throw Object.assign(new Error(details), { code, details });
      }
    } catch (error) {
      throw this.#failed(client, end.reason(error));
    } finally {
      call.cancel();
    }
  }

  /**
   * A call with a stream of messages that is answered with one. What cannot be
   * read of the stream fails the call as it is. Each message is copied before
   * the next one is asked for: whoever makes them may use its memory again.
   */
  clientStream<Reply>(
    method: ServiceDefinition[string],
    requests: AsyncIterable<object> | Iterable<object>,
    { signal }: CallOptions,
  ): Promise<Reply> {
    const client = this.#connected();
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      let answered = false;
      const call = client.makeClientStreamRequest(
        method.path,
        (bytes: Buffer) => bytes,
        method.responseDeserialize,
        (error: ServiceError | null, reply?: Reply) => {
          answered = true;
          end[Symbol.dispose]();
          call.emit("drain");
          if (!error) return resolve(reply as Reply);
          reject(this.#failed(client, end.reason(error)));
        },
      );
      const end = new CallEnd(client, signal, () => call.cancel());
      call.on("error", () => {});
      void (async () => {
        try {
          for await (const request of requests) {
            if (answered) return;
            const bytes = method.requestSerialize(request);
            if (!call.write(bytes) && !answered) await once(call, "drain");
          }
          call.end();
        } catch (error) {
          reject(error);
          call.cancel();
        }
      })();
    });
  }

  /** Ends the connection; calls that are under way may finish. */
  close(): void {
    this.#closed = true;
    this.#client?.close();
    this.#client = undefined;
  }

  /**
   * Lets the next call make a new connection when this one broke or is silent:
   * grpc-js may think for ever that a connection is ready which ended while it
   * was made. Returns the error.
   */
  #failed(client: Client, error: unknown): unknown {
    const { code } = (error ?? {}) as Partial<ServiceError>;
    const isBroken = code === status.UNAVAILABLE ||
      code === status.INTERNAL || hasCode(error, "unavailable");
    if (isBroken && this.#client === client) {
      this.#client = undefined;
      client.close();
    }
    return isBroken ? namingProxy(error, this.#address) : error;
  }

  #connected(): Client {
    if (this.#closed) throw new CacheError("closed", "the cache is closed");
    return this.#client ??= new Client(
      this.#address,
      credentials.createInsecure(),
      { ...OPTIONS, ...proxyOptions(this.#address) },
    );
  }
}
