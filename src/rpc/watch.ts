/**
 * `larder.v1.Cache.Watch`: pictures of what the server is doing, for as long as
 * somebody looks.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { Picture, Pictures } from "../engine/pictures.ts";
import { invalidRequest, LarderError } from "../errors.ts";
import type { Call, Sender, ServerStreamingHandler } from "../grpc/call.ts";
import {
  DEFAULT_WATCH_INTERVAL_MS,
  MAX_WATCH_INTERVAL_MS,
  MIN_WATCH_INTERVAL_MS,
} from "../limits.ts";
import type { WatchRequest } from "./cache_wire.ts";
import { loadMethods } from "./protos.ts";
import type { Readiness } from "./readiness.ts";
import type { Service } from "./service.ts";
import { demandWatch } from "./rights.ts";
import { toStatusError } from "./status.ts";

/** What is watched. */
export interface WatchOptions {
  readonly pictures: Pictures;
  readonly readiness: Readiness;
  readonly clock: Clock;
}

/** The method, beside the others of its service. */
export function watchService(options: WatchOptions): Service {
  const methods = loadMethods("larder/v1/cache.proto", "larder.v1.Cache");
  return (server) =>
    server.serverStreaming(
      methods<WatchRequest, Picture>("Watch"),
      watch(options),
    );
}

/** Makes its handler. */
export function watch(
  options: WatchOptions,
): ServerStreamingHandler<WatchRequest, Picture> {
  return async (request, call, sender) => {
    try {
      demandWatch(call);
      const intervalMs = intervalOf(request);
      using seat = options.pictures.join();
      if (!seat) throw tooMany();
      await show(intervalMs, options, { call, sender });
    } catch (error) {
      throw toStatusError(error);
    }
  };
}

/** One picture at a time is on its way: what a slow reader misses is not made. */
async function show(
  intervalMs: number,
  { pictures, readiness, clock }: WatchOptions,
  { call, sender }: {
    readonly call: Call;
    readonly sender: Sender<Picture>;
  },
): Promise<void> {
  const nextWake = readiness.wakes(call);
  while (!call.hasEnded && readiness.phase !== "stopped") {
    // Rights may go while somebody looks.
    demandWatch(call);
    const woken = nextWake();
    const timer = clock.setTimer(intervalMs, woken.resolve);
    try {
      if (!await sender.send(await pictures.current())) return;
      await woken.promise;
    } finally {
      timer.cancel();
    }
  }
  if (call.hasEnded) return;
  const message = "The server has stopped: ask the next one";
  throw new LarderError("stopping", message);
}

function intervalOf({ intervalMs }: WatchRequest): number {
  if (intervalMs === 0) return DEFAULT_WATCH_INTERVAL_MS;
  if (
    intervalMs >= MIN_WATCH_INTERVAL_MS && intervalMs <= MAX_WATCH_INTERVAL_MS
  ) return intervalMs;
  throw invalidRequest(
    `interval_ms is ${MIN_WATCH_INTERVAL_MS} to ${MAX_WATCH_INTERVAL_MS}, or 0`,
  );
}

function tooMany(): LarderError {
  const message =
    "as many watch the server as may: end one that nobody looks " +
    "at, or use Status";
  return new LarderError("overloaded", message);
}
