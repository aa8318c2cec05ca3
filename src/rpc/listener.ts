/**
 * One listening address with the services it answers.
 *
 * @module
 */

import {
  logVerbosity,
  type Server,
  ServerCredentials,
  setLogVerbosity,
} from "@grpc/grpc-js";
import { StartError } from "../errors.ts";
import type { Service } from "./service.ts";
import {
  createHardenedServer,
  type TransportOptions,
} from "./transport/mod.ts";

// What it would print for a taken port is in the error we report.
setLogVerbosity(logVerbosity.NONE);

/** What a listener is made of. */
export interface ListenerOptions {
  /** `ip:port`; port 0 picks one. */
  readonly address: string;
  readonly services: readonly Service[];
  /** Requests and replies above this are refused with RESOURCE_EXHAUSTED. */
  readonly maxMessageBytes: number;
  readonly transport: Omit<TransportOptions, "serverOptions">;
}

/** A server that answers. */
export interface Listener {
  /** `ip:port`, with the port that was picked. */
  readonly address: string;
  /** Lets the calls that are under way finish, but no longer than `limitMs`. */
  close(limitMs: number): Promise<void>;
}

/** Binds the address and answers; a taken port is a `StartError`. */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const { address, services, maxMessageBytes } = options;
  const server = createHardenedServer({
    ...options.transport,
    serverOptions: {
      "grpc.max_receive_message_length": maxMessageBytes,
      "grpc.max_send_message_length": maxMessageBytes,
    },
  });
  for (const { definition, implementation } of services) {
    server.addService(definition, implementation);
  }
  const port = await bind(server, address);
  const host = address.slice(0, address.lastIndexOf(":"));
  return {
    address: `${host}:${port}`,
    close: (limitMs) => shutDown(server, limitMs),
  };
}

function bind(server: Server, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const credentials = ServerCredentials.createInsecure();
    server.bindAsync(address, credentials, (error, port) => {
      if (!error) return resolve(port);
      const why = /E[A-Z]{4,}/.exec(error.message)?.[0] ?? error.message;
      const message = `cannot listen on ${address} (${why}): stop what uses ` +
        "the port, or choose another address with -l or -r (port 0 picks one)";
      reject(new StartError(1, message, { cause: error }));
    });
  });
}

async function shutDown(server: Server, limitMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, limitMs);
  server.tryShutdown(() => resolve());
  await promise;
  clearTimeout(timer);
  server.forceShutdown();
}
