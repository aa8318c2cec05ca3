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
    const sum = repeated + others;
    const all = sum === 1 ? "1 line was" : `${sum} lines were`;
    write(`${all} left out here: ${whyLeft(repeated, others)}`, {
      level: "info",
    });
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

function whyLeft(repeated: number, others: number): string {
  const again = "said what had been said within the minute before";
  const many = `came beside more than ${MAX_LINES} others within a minute`;
  if (others === 0) return `${repeated === 1 ? "it" : "they"} ${again}`;
  if (repeated === 0) return `${others === 1 ? "it" : "they"} ${many}`;
  return `${repeated} ${again}, ${others} ${many}`;
}
