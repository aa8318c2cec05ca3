/**
 * Calls of services by the definitions of others.
 *
 * @module
 */

import {
  Client,
  credentials,
  type MethodDefinition,
  type ServiceDefinition,
} from "@grpc/grpc-js";
import { ReflectionService } from "@grpc/reflection";
import { service as health } from "grpc-health-check";
import { guardDeno } from "../../src/client/deno_guard.ts";

guardDeno();

/** What a client can do. */
export class ServiceClient implements Disposable {
  readonly #client: Client;
  readonly #service: ServiceDefinition;

  /** Connects when it is first called. */
  constructor(address: string, service: ServiceDefinition) {
    this.#client = new Client(address, credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
    });
    this.#service = service;
  }

  /** One request, one reply. */
  call<T>(name: string, request: object): Promise<T> {
    const { path, requestSerialize, responseDeserialize } = this.#method(name);
    return new Promise((resolve, reject) =>
      this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        (error, reply) => error ? reject(error) : resolve(reply as T),
      )
    );
  }

  /** One request, many replies; left, it is cancelled. */
  async *watch<T>(name: string, request: object): AsyncGenerator<T> {
    const { path, requestSerialize, responseDeserialize } = this.#method(name);
    const call = this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
    );
    try {
      yield* call;
    } finally {
      call.on("error", () => {});
      call.cancel();
    }
  }

  /** Sends all requests; all replies. */
  async talk<T>(name: string, requests: readonly object[]): Promise<T[]> {
    const { path, requestSerialize, responseDeserialize } = this.#method(name);
    const call = this.#client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
    );
    for (const request of requests) call.write(request);
    call.end();
    return await Array.fromAsync<T>(call);
  }

  #method(name: string): MethodDefinition<object, object> {
    return this.#service[name]!;
  }

  /** Closes its connection. */
  [Symbol.dispose](): void {
    this.#client.close();
  }
}

/** Of `grpc-health-check`. */
export const HEALTH = health as unknown as ServiceDefinition;

/** Of `@grpc/reflection`, which gives them to no others than servers. */
export function reflectionDefinitions(): ServiceDefinition[] {
  const definitions: ServiceDefinition[] = [];
  const server = {
    addService: (definition: ServiceDefinition) =>
      void definitions.push(definition),
  };
  new ReflectionService({}).addToServer(server);
  return definitions;
}
