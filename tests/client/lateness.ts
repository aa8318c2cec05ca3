/**
 * How busy the machine is: what a test that measures time leaves out.
 *
 * @module
 */

const EVERY_MS = 20;
/** Of /proc/PID/schedstat. */
const NS_PER_MS = 1e6;

/** Watches by how much time passes in which nothing can run. */
export interface Lateness extends Disposable {
  /** In all since it was begun: of our timers, and of the other process. */
  readonly ms: number;
  /** Counts from here on. */
  begin(): void;
}

/**
 * Watches the timers of this process.
 *
 * @param pid A process that is waited for: the time in which it could run, and
 * others had the processor, counts as well. Linux says so.
 */
export function lateness(pid?: number): Lateness {
  let lateMs = 0;
  let lastMs = performance.now();
  let firstMs = waitedMs(pid) ?? 0;
  let waitMs = firstMs;
  const look = () => {
    const nowMs = performance.now();
    lateMs += Math.max(0, nowMs - lastMs - EVERY_MS);
    lastMs = nowMs;
    waitMs = waitedMs(pid) ?? waitMs;
  };
  const timer = setInterval(look, EVERY_MS);
  return {
    get ms() {
      return lateMs + waitMs - firstMs;
    },
    begin() {
      lateMs = 0;
      lastMs = performance.now();
      firstMs = waitMs = waitedMs(pid) ?? waitMs;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** For how long the main thread of a process has waited for a processor. */
function waitedMs(pid: number | undefined): number | undefined {
  if (pid === undefined) return undefined;
  try {
    const [, waitedNs] = Deno.readTextFileSync(`/proc/${pid}/schedstat`)
      .split(" ");
    return Number(waitedNs) / NS_PER_MS;
  } catch {
    // It has ended, or the system does not say.
    return undefined;
  }
}
