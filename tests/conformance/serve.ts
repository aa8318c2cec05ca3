/**
 * Serves test services on our own HTTP/2 and gRPC, with the limits that Larder
 * has by default.
 *
 * @module
 */

import { systemClock } from "../../src/clock.ts";
import { CallCounts, GrpcServer } from "../../src/grpc/mod.ts";
import { Connections, Http2Listener } from "../../src/http2/mod.ts";
import { TlsListener } from "../../src/tls/tls_listener.ts";

const HOSTNAME = "127.0.0.1";
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** How to serve. */
export interface ServeOptions {
  /** Adds the services. */
  readonly services: (server: GrpcServer) => void;
  /** A certificate and its key, as PEM. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Of a request. */
  readonly maxMessageBytes?: number;
}

/** Where a server answers. */
export interface Served {
  readonly hostname: string;
  readonly port: number;
}

/**
 * Serves until the process ends.
 *
 * @param options What, and how.
 * @returns Where.
 */
export async function serve(
  { services, tls, maxMessageBytes = MAX_MESSAGE_BYTES }: ServeOptions,
): Promise<Served> {
  const log = (message: string, cause?: unknown) =>
    console.error(message, ...cause === undefined ? [] : [cause]);
  const server = new GrpcServer({
    clock: systemClock,
    maxMessageBytes,
    log,
    counts: new CallCounts(),
  });
  services(server);
  const on = { hostname: HOSTNAME, port: 0 };
  const options = {
    handler: server.handleRequest,
    connections: new Connections({ warn: log }),
    warn: log,
  };
  const certificates = tls && { current: tls, onChange: new Set<() => void>() };
  const { port } = certificates
    ? await TlsListener.listen({ ...options, on, certificates })
    : new Http2Listener({ ...options, ...on });
  return { hostname: HOSTNAME, port };
}
