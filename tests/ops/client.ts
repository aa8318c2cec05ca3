/**
 * Calls of services by the definitions of others.
 *
 * @module
 */

import type { ServiceDefinition } from "@grpc/grpc-js";
import { ReflectionService } from "@grpc/reflection";
import { service as health } from "grpc-health-check";
import { GrpcClient, methodOf } from "../support/grpc_client.ts";

/** What a client can do. */
export class ServiceClient extends GrpcClient {
  readonly #service: ServiceDefinition;

  /** Connects when it is first called. */
  constructor(address: string, service: ServiceDefinition) {
    super(address);
    this.#service = service;
  }

  /** One request, one reply. */
  call<T>(name: string, request: object): Promise<T> {
    return this.unary(methodOf(this.#service, name), request);
  }

  /** One request, many replies; left, it is cancelled. */
  watch<T>(name: string, request: object): AsyncGenerator<T> {
    return this.watched(methodOf(this.#service, name), request);
  }

  /** Sends all requests; all replies. */
  async talked<T>(name: string, requests: readonly object[]): Promise<T[]> {
    const call = this.talk<T>(methodOf(this.#service, name));
    for (const request of requests) call.write(request);
    call.end();
    return await Array.fromAsync<T>(call);
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
