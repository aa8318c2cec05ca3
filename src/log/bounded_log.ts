/**
 * Keeps what goes wrong a thousand times a second from filling the log.
 *
 * @module
 */

import type { Clock, Timer } from "../clock.ts";
import type { Log } from "./log.ts";

/** A line that has been written is not written again for this long. */
const QUIET_MS = 60_000;
/** Other lines that are written within that time, some 20 KB; then they are counted. */
const MAX_LINES = 100;

/** A log of bounded rate. */
export interface BoundedLog extends Disposable {
  /** Writes a line, or counts it. */
  readonly warn: Log;
}

/**
 * Leaves out what was written of the same namespace a moment ago, and whatever comes in
 * masses; says a minute later how many those were.
 *
 * @param write Takes a line for the log.
 * @param clock Says how long ago a moment was.
 * @returns The log; disposed, it says what it still has to say.
 */
export function boundedLog(
  write: Log,
  clock: Clock,
): BoundedLog {
  /** The lines of the last minute, the latest last. */
  const writtenMs = new Map<string, number>();
  let left = { repeated: 0, others: 0 };
  let timer: Timer | undefined;

  function forgetOld(nowMs: number): void {
    for (const [line, ms] of writtenMs) {
      if (nowMs - ms < QUIET_MS) break;
      writtenMs.delete(line);
    }
  }

  function summarize(): void {
    timer?.cancel();
    timer = undefined;
    const { repeated, others } = left;
    if (repeated + others === 0) return;
    left = { repeated: 0, others: 0 };
    const which = [
      ...repeated > 0 ? [`${repeated} that had just been written`] : [],
      ...others > 0
        ? [`${others} others, for there were more than ${MAX_LINES}`]
        : [],
    ].join(", and ");
    write(
      `${repeated + others} lines were left out here within a minute: ${which}`,
      { level: "info" },
    );
  }

  return {
    warn(message, facts = {}) {
      const nowMs = clock.nowMs();
      forgetOld(nowMs);
      // Whatever befalls a thousand entries of a namespace is one line.
      const line = `${facts.namespace ?? ""} ${message}`;
      const isRepeated = writtenMs.has(line);
      if (!isRepeated && writtenMs.size < MAX_LINES) {
        writtenMs.set(line, nowMs);
        return write(message, facts);
      }
      left[isRepeated ? "repeated" : "others"]++;
      timer ??= clock.setTimer(QUIET_MS, summarize);
    },
    [Symbol.dispose]: summarize,
  };
}
