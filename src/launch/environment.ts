/**
 * The environment of the confined server: what the C library's allocator, Deno's
 * event loop and its exporter of traces are told.
 *
 * @module
 */

import type { Config } from "../config.ts";

/**
 * By default the allocator keeps an arena for each thread and, once a large block
 * was freed, cuts all that is smaller from the arenas: keys and values between
 * small objects leave holes, and memory creeps up for hours. With these, all from
 * 32 KiB on is mapped, and given back. Lists and long keys that nobody reads take
 * 60 MB less so; a hit of 1 MiB takes as long.
 *
 * Deno looks for bytes that have come after every 61 rounds of a loop that has
 * work, unless told otherwise: beside busy clients, whose work goes on in the next
 * round, a small call then waits for 61 times what a round takes. And it looks at
 * what other threads have woken, here the workers, every 31 rounds. That which takes
 * in bytes lies there, too, from the moment a worker has answered.
 */
export const CONFINED_ENVIRONMENT: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: "2",
  MALLOC_MMAP_THRESHOLD_: "32768",
  MALLOC_TRIM_THRESHOLD_: "262144",
  DENO_TOKIO_EVENT_INTERVAL: "1",
  DENO_TOKIO_GLOBAL_QUEUE_INTERVAL: "1",
};

/**
 * Deno reads these itself when it starts, whatever the program may see of its
 * environment; where spans go to is in others, `OTEL_EXPORTER_OTLP_ENDPOINT` and
 * the like, which are the operator's. The log stays where it is.
 */
const TRACING_ENVIRONMENT: Readonly<Record<string, string>> = {
  OTEL_DENO_TRACING: "true",
  OTEL_DENO_CONSOLE: "ignore",
};

/**
 * What is added to the environment of a confined server.
 *
 * @param config What it is to do.
 * @returns Names with values.
 */
export function confinedEnvironment(
  { traceRatio }: Pick<Config, "traceRatio">,
): Readonly<Record<string, string>> {
  if (traceRatio === undefined) return CONFINED_ENVIRONMENT;
  return { ...CONFINED_ENVIRONMENT, ...TRACING_ENVIRONMENT };
}
