/**
 * What a server is made of when its calls are traced: loaded only then.
 *
 * @module
 */

import type { Engine, EngineOptions } from "../../engine/engine.ts";
import type { Log } from "../../log/log.ts";
import { TracedEngine } from "./traced_engine.ts";
import { type Stores, tracedStores } from "./traced_store.ts";
import { Traces, type TracesOptions } from "./traces.ts";

/** Its parts. */
export interface ServerTraces extends Pick<Traces, "observe" | "around"> {
  /** For what the timers of the whole server wake. */
  readonly clock: Traces["clock"];
  /** Makes the engine. */
  readonly newEngine: (options: EngineOptions) => Engine;
  /** Stands around the stores. */
  readonly stores: (stores: Stores) => Stores;
}

/** Begins to trace; says so where nobody takes what comes of it. */
export function serverTraces(
  options: TracesOptions,
  log: Log,
): ServerTraces {
  const traces = new Traces(options);
  if (!traces.areTaken) {
    log(
      "--trace: Deno exports nothing: it has to be started with " +
        "OTEL_DENO_TRACING=true, as the launcher and --print-command do",
    );
  }
  return {
    stores: (stores) => tracedStores(stores, traces),
    observe: traces.observe,
    around: traces.around,
    clock: (clock) => traces.clock(clock),
    newEngine: (options) => new TracedEngine(options, traces),
  };
}
