/**
 * Keeps a server running: starts it again when it died, not when it ended.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { Backoff } from "./backoff.ts";
import type { Child, ChildExit, Spawn } from "./child.ts";
import { withPickedPorts } from "./ready_lines.ts";
import { ONE_PRESS_MS, type StopRequests } from "./stop_requests.ts";

/** A server that never once answered is given up after this many deaths. */
const MAX_DEATHS_BEFORE_READY = 5;
/** What a draining server gets beyond its own drain timeout. */
const STOP_SLACK_MS = 5_000;
/** The shell's exit code for a process that Ctrl-C ended. */
const EXIT_INTERRUPTED = 130;

/** What supervision needs of the world. */
export interface SupervisorOptions {
  /** Starts a server. */
  readonly spawn: Spawn;
  /** When to stop. */
  readonly stop: StopRequests;
  /** Time and timers. */
  readonly clock: Clock;
  /** Takes a line for the operator. */
  readonly log: (line: string) => void;
}

/**
 * Runs a server until it ends or is stopped.
 *
 * A clean exit (0) and a first start that was refused (1 or 2 before it answered)
 * are final. Everything else is a death, also exit code 1 of a server that
 * answered: that is how Deno ends on a panic or an uncaught error. Where one that
 * has answered died and the next one is refused with 1, as on a disk that has
 * become full, that may be otherwise in a moment, and nobody else would try.
 *
 * @param config What to serve.
 * @param options What supervision needs.
 * @returns The exit code.
 */
export async function supervise(
  config: Config,
  options: SupervisorOptions,
): Promise<number> {
  const { spawn, stop, clock, log } = options;
  const backoff = new Backoff();
  let current = config;
  let everReady = false;
  let deaths = 0;
  while (!stop.isRequested) {
    const startedMs = clock.nowMs();
    const child = spawn(current);
    let isReady = false;
    child.ready.then((addresses) => {
      isReady = everReady = true;
      current = withPickedPorts(current, addresses);
    });
    const first = await Promise.race([child.exited, stop.requested]);
    if (!first) return await stopChild(child, config.drainTimeoutMs, options);
    if (isFinal(first, everReady)) return first.code;
    deaths++;
    const how = describe(first);
    if (!everReady && deaths >= MAX_DEATHS_BEFORE_READY) {
      log(`the server died ${deaths} times before it answered (${how})`);
      return 1;
    }
    const waitMs = backoff.nextWaitMs(clock.nowMs() - startedMs);
    const isRefused = !isReady && first.signal === null && first.code === 1;
    log(
      `the server ${
        isRefused ? "could not start" : `died (${how})`
      }; it is started again ${waitMs === 0 ? "now" : `in ${waitMs} ms`}`,
    );
    await wait(waitMs, options);
  }
  return 0;
}

function isFinal(exit: ChildExit, everReady: boolean): boolean {
  if (exit.signal !== null) return false;
  if (exit.code === 0 || exit.code === 2) return true;
  return exit.code === 1 && !everReady;
}

function describe(exit: ChildExit): string {
  return exit.signal ?? `exit code ${exit.code}`;
}

/** Lets a server drain, within bounds, unless it is to end at once. */
async function stopChild(
  child: Child,
  drainTimeoutMs: number,
  { stop, clock, log }: SupervisorOptions,
): Promise<number> {
  child.stop();
  const late = Promise.withResolvers<"late">();
  const limitMs = drainTimeoutMs + STOP_SLACK_MS;
  const timer = clock.setTimer(limitMs, () => late.resolve("late"));
  const forced = stop.forced.then(() => "forced" as const);
  // By then a second press counts, and the first one may have seemed in vain.
  const hint = clock.setTimer(ONE_PRESS_MS, () => {
    if (stop.isInterrupted) log("still stopping: Ctrl-C again ends it at once");
  });
  const outcome = await Promise.race([child.exited, late.promise, forced]);
  timer.cancel();
  hint.cancel();
  if (outcome === "late" || outcome === "forced") {
    child.kill();
    await child.exited;
    if (outcome === "forced") return EXIT_INTERRUPTED;
    log(`the server did not stop within ${limitMs} ms and was killed`);
    return 1;
  }
  if (outcome.signal === null) return outcome.code;
  log(`the server died while it stopped (${describe(outcome)})`);
  return 1;
}

/** Waits, but not when a stop is asked for. */
async function wait(
  waitMs: number,
  { stop, clock }: SupervisorOptions,
): Promise<void> {
  if (waitMs === 0) return;
  const over = Promise.withResolvers<void>();
  const timer = clock.setTimer(waitMs, over.resolve);
  await Promise.race([over.promise, stop.requested]);
  timer.cancel();
}
