/**
 * An echo server in the test's own process.
 *
 * @module
 */
import type * as grpc from "@grpc/grpc-js";
import type { TransportOptions } from "../options.ts";
import { createHardenedServer } from "../transport.ts";
import { curesOff } from "./cures_off.ts";
import { listen } from "./echo_service.ts";

/** A server that ends with its scope. */
export interface EchoServer extends Disposable {
  /** The grpc-js server. */
  readonly server: grpc.Server;
  /** Where it listens. */
  readonly port: number;
  /** What it has warned of. */
  readonly warnings: readonly string[];
}

/**
 * Starts a server.
 *
 * @param options Its limits.
 * @returns The server, listening.
 */
export async function startEchoServer(
  options: Omit<TransportOptions, "warn"> = {},
): Promise<EchoServer> {
  const warnings: string[] = [];
  const server = createHardenedServer({
    ...options,
    warn: (message) => warnings.push(message),
  }, curesOff());
  const port = await listen(server);
  return {
    server,
    port,
    warnings,
    [Symbol.dispose]: () => server.forceShutdown(),
  };
}
