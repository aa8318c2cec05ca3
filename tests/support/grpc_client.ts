/**
 * A real gRPC client, grpc-js, of any service, with promises. What a test says
 * of calls to one service is in a class that extends it.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import {
  type CallOptions as GrpcOptions,
  Client,
  type ClientDuplexStream,
  type ClientOptions,
  type ClientReadableStream,
  credentials,
  Metadata,
  type MethodDefinition,
  type ServiceDefinition,
  type ServiceError,
} from "@grpc/grpc-js";
import { guardDeno } from "../../src/client/deno_guard.ts";
import { CA, type Pair } from "./certificates.ts";

// These clients live in a Deno too, and meet servers that stop.
guardDeno();

/** A call that takes longer has failed: the server hung. */
const DEADLINE_MS = 20_000;

/** How it connects. */
export interface ConnectionOptions {
  /** TLS, which `CA` vouches for; with a certificate of its own if it has one. */
  readonly tls?: { readonly pair?: Pair | undefined } | undefined;
  /** What else grpc-js can be told. */
  readonly channel?: ClientOptions | undefined;
}

/** How long a call may take. */
export interface CallOptions {
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** A client over one connection, which is made with the first call. */
export class GrpcClient implements Disposable {
  /** Goes with each call. */
  readonly metadata = new Metadata();
  readonly #client: Client;

  /** Of a server at an address. */
  constructor(address: string, { tls, channel }: ConnectionOptions = {}) {
    this.#client = new Client(
      address,
      tls ? secured(tls.pair) : credentials.createInsecure(),
      {
        "grpc.use_local_subchannel_pool": 1,
        "grpc.max_receive_message_length": -1,
        "grpc.max_send_message_length": -1,
        // TLS names no numbers.
        ...tls && { "grpc.ssl_target_name_override": "localhost" },
        ...channel,
      },
    );
  }

  /** One request, one reply; rejects with grpc-js's ServiceError. */
  unary<T>(
    method: MethodDefinition<object, object>,
    request: object,
    { deadlineMs = DEADLINE_MS, signal }: CallOptions = {},
  ): Promise<T> {
    const { promise, answer } = answerOf<T>();
    const call = this.#client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      this.metadata,
      within(deadlineMs),
      answer,
    );
    signal?.addEventListener("abort", () => call.cancel());
    return promise;
  }

  /** One request, many replies. */
  replies<T>(
    method: MethodDefinition<object, object>,
    request: object,
    { deadlineMs }: CallOptions = {},
  ): ClientReadableStream<T> {
    return this.#client.makeServerStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      this.metadata,
      within(deadlineMs),
    ) as ClientReadableStream<T>;
  }

  /** The same to look at; left, it is cancelled. */
  async *watched<T>(
    method: MethodDefinition<object, object>,
    request: object,
  ): AsyncGenerator<T> {
    const call = this.replies<T>(method, request);
    try {
      yield* call;
    } finally {
      call.on("error", () => {});
      call.cancel();
    }
  }

  /** Many requests, one reply; waits where the server is slower. */
  async requests<T>(
    method: MethodDefinition<object, object>,
    parts: AsyncIterable<object> | Iterable<object>,
    { deadlineMs, signal }: CallOptions = {},
  ): Promise<T> {
    const { promise, answer } = answerOf<T>();
    let isOver = false;
    const call = this.#client.makeClientStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      this.metadata,
      within(deadlineMs),
      (error, reply) => {
        isOver = true;
        answer(error, reply);
      },
    );
    promise.catch(() => {});
    call.on("error", () => {});
    signal?.addEventListener("abort", () => call.cancel());
    for await (const part of parts) {
      if (isOver || signal?.aborted) break;
      await Promise.race([
        new Promise((sent) => call.write(part, sent)),
        promise.catch(() => {}),
      ]);
    }
    if (!isOver && !signal?.aborted) call.end();
    return await promise;
  }

  /** Many of both. */
  talk<T>(
    method: MethodDefinition<object, object>,
  ): ClientDuplexStream<object, T> {
    return this.#client.makeBidiStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      this.metadata,
    ) as ClientDuplexStream<object, T>;
  }

  /** Closes the connection, with GOAWAY. */
  close(): void {
    this.#client.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A method of a service, by its name. */
export function methodOf(
  service: ServiceDefinition,
  name: string,
): MethodDefinition<object, object> {
  const method = service[name];
  if (!method) throw new Error(`there is no method ${name}`);
  return method;
}

/** The same method for messages that a test has put into bytes itself. */
export function inBytes(
  method: MethodDefinition<object, object>,
): MethodDefinition<object, object> {
  const same = (bytes: Uint8Array) => Buffer.from(bytes);
  return {
    ...method,
    requestSerialize: same as MethodDefinition<object, object>[
      "requestSerialize"
    ],
    responseDeserialize: same,
  };
}

function secured(pair: Pair | undefined): ReturnType<
  typeof credentials.createSsl
> {
  return credentials.createSsl(
    Buffer.from(CA),
    pair ? Buffer.from(pair.key) : null,
    pair ? Buffer.from(pair.cert) : null,
  );
}

function within(deadlineMs: number | undefined): GrpcOptions {
  return deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
}

function answerOf<T>(): {
  promise: Promise<T>;
  answer: (error: ServiceError | null, reply?: object) => void;
} {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  return {
    promise,
    answer: (error, reply) => error ? reject(error) : resolve(reply as T),
  };
}
