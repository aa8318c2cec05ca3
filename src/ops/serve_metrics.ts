/**
 * Metrics, probes and the status page on an address: loaded only where they are
 * wanted.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import { Exposition } from "./exposition.ts";
import type { AnswerOptions } from "./http_answers.ts";
import { History } from "./history.ts";
import {
  type HttpListener,
  type HttpOptions,
  serveHttp,
} from "./http_server.ts";
import {
  LivePictures,
  type LivePicturesOptions,
  type Setting,
} from "./live_pictures.ts";
import { recentTimes } from "./recent_times.ts";
import { type Counted, type Read, serverMetrics } from "./server_metrics.ts";

/** What is served, and to whom. */
export interface MetricsOptions
  extends
    Pick<HttpOptions, "address" | "warn" | "certificates">,
    Pick<AnswerOptions, "hosts" | "phase" | "hasPage" | "admit"> {
  readonly counted: Counted;
  readonly read: Read;
  /** Awaited before anything is read. */
  readonly prepare: () => Promise<void>;
  readonly pictures: LivePicturesOptions["pictures"];
  readonly settings: readonly Setting[];
  readonly clock: Clock;
}

/** Serves what a server tells of itself. */
export async function serveMetrics(
  { counted, read, prepare, pictures, settings, clock, ...http }:
    MetricsOptions,
): Promise<HttpListener> {
  const { calls, namespaces } = counted;
  const times = recentTimes(calls);
  const history = new History(clock, () => {
    const { hits, misses } = read.engine.counts();
    return {
      hits,
      misses,
      calls: calls.total,
      publishedBytes: namespaces.publishedBytes,
      keptBytes: read.engine.kept.bytes,
      ...times(),
    };
  });
  await using stack = new AsyncDisposableStack();
  stack.use(history);
  const live = new LivePictures({
    ...{ pictures, history, settings, clock },
    calls: () => calls.summary(),
  });
  const metrics = new Exposition(serverMetrics(counted, read), prepare);
  const { address } = stack.use(await serveHttp({ ...http, metrics, live }));
  const served = stack.move();
  return {
    address,
    [Symbol.asyncDispose]: () => served.disposeAsync(),
  };
}
