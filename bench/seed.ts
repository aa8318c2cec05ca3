/**
 * What the bench asks of a server before it measures: ready entries, and an
 * assignment to send heartbeats for.
 *
 * @module
 */

import { type Client, credentials } from "@grpc/grpc-js";
import type { Entry } from "./entries.ts";
import { RemoteCache } from "./services.ts";

const DEADLINE_MS = 10_000;

interface GetReply {
  readonly entry_status: "unassigned" | "assign" | "loading" | "ready";
  readonly assign?: { readonly id: string };
  readonly ready?: Uint8Array;
}

/** Publishes an entry and waits until it is read. */
export async function seed(
  address: string,
  { namespace, key, size }: Entry,
): Promise<void> {
  using cache = connect(address);
  const request = {
    namespace,
    key: new TextEncoder().encode(key),
    assign: true,
  };
  const { assign } = await cache.call<GetReply>("Get", request);
  if (assign !== undefined) {
    await cache.call("Set", {
      id: assign.id,
      value: new Uint8Array(size).fill(7),
    });
  }
  const deadline = performance.now() + DEADLINE_MS;
  while (performance.now() < deadline) {
    const { ready } = await cache.call<GetReply>("Get", request);
    if (ready?.length === size) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(
    `Cannot seed ${namespace}: it did not become ready within ${DEADLINE_MS} ms`,
  );
}

/** Takes an assignment that nobody else has; returns its id. */
export async function assign(address: string): Promise<string> {
  using cache = connect(address);
  const key = crypto.getRandomValues(new Uint8Array(16));
  const reply = await cache.call<GetReply>("Get", {
    namespace: "heartbeat",
    key,
    assign: true,
  });
  if (reply.assign === undefined) {
    throw new Error(
      `Cannot take an assignment: the server answered ${reply.entry_status}`,
    );
  }
  return reply.assign.id;
}

interface Connection extends Disposable {
  call<Reply>(method: string, request: object): Promise<Reply>;
}

function connect(address: string): Connection {
  const client = new RemoteCache(address, credentials.createInsecure());
  return {
    call: (method, request) => call(client, method, request),
    [Symbol.dispose]: () => client.close(),
  };
}

function call<Reply>(
  client: Client,
  method: string,
  request: object,
): Promise<Reply> {
  const { path, requestSerialize, responseDeserialize } = RemoteCache
    .service[method]!;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize as (bytes: Uint8Array) => Reply,
      request,
      { deadline: Date.now() + DEADLINE_MS },
      (error, reply) => error ? reject(error) : resolve(reply!),
    );
  });
}
