/**
 * Keeps what goes wrong a thousand times a second from filling the log.
 *
 * @module
 */

import type { Clock } from "../clock.ts";

/** A line that has been written is not written again for this long. */
const QUIET_MS = 60_000;
/** Different lines that are remembered; the oldest is forgotten first. */
const MAX_LINES = 100;

/**
 * Drops lines that were written a moment ago.
 *
 * @param warn Takes a line for the log.
 * @param clock Says how long ago that was.
 * @returns The same, without repetitions.
 */
export function withoutRepeats(
  warn: (message: string) => void,
  clock: Clock,
): (message: string) => void {
  const writtenMs = new Map<string, number>();
  return (message) => {
    const nowMs = clock.nowMs();
    const last = writtenMs.get(message);
    if (last !== undefined && nowMs - last < QUIET_MS) return;
    writtenMs.delete(message);
    writtenMs.set(message, nowMs);
    for (const oldest of writtenMs.keys()) {
      if (writtenMs.size <= MAX_LINES) break;
      writtenMs.delete(oldest);
    }
    warn(message);
  };
}
