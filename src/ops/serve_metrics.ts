/**
 * Metrics on an address: loaded only where they are wanted.
 *
 * @module
 */

import { Exposition } from "./exposition.ts";
import {
  type HttpListener,
  type HttpOptions,
  serveHttp,
} from "./http_server.ts";
import { type Counted, type Read, serverMetrics } from "./server_metrics.ts";

/** What is served, and to whom. */
export interface MetricsOptions
  extends Pick<HttpOptions, "hosts" | "phase" | "warn"> {
  readonly counted: Counted;
  readonly read: Read;
  /** Awaited before anything is read. */
  readonly prepare: () => Promise<void>;
}

/** Serves the metrics of a server. */
export function serveMetrics(
  address: HttpOptions["address"],
  { counted, read, prepare, ...options }: MetricsOptions,
): HttpListener {
  const metrics = new Exposition(serverMetrics(counted, read), prepare);
  return serveHttp({ ...options, address, metrics });
}
