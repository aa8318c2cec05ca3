/**
 * Durations as people write them: `200ms`, `2s`, `1m`, `1h`, `30d`, `2w`.
 *
 * @module
 */

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ["w", 604_800_000],
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
]);

/** A thousand years: the end of such a time is still a date of four digits. */
const MAX_MS = 52_000 * 604_800_000;

/**
 * Reads a duration: one number and one unit, a whole number of milliseconds.
 *
 * @example Usage
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseDurationMs } from "./duration.ts";
 * assert.equal(parseDurationMs("1.5s"), 1_500);
 * ```
 *
 * @param text What was written.
 * @returns The duration in milliseconds.
 * @throws {RangeError} When it is not a duration; the message says how to write one.
 */
export function parseDurationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([a-zA-Z]*)$/.exec(text.trim());
  const unit = match?.[2] ?? "";
  const unitMs = UNIT_MS.get(unit);
  if (!match || unitMs === undefined) {
    const what = match && unit === "" ? "it has no unit" : "not a duration";
    throw new RangeError(`${what}: write 200ms, 2s, 1m, 1h, 30d or 2w`);
  }
  // Rounded to a nanosecond first: 0.001 * 1000 must count as whole.
  const ms = Math.round(Number(match[1]) * unitMs * 1e6) / 1e6;
  if (!Number.isInteger(ms)) {
    throw new RangeError("finer than a millisecond: write whole milliseconds");
  }
  if (ms > MAX_MS) throw new RangeError("too long: write 52000w at most");
  return ms;
}

/**
 * Writes a duration in the largest unit that needs no fraction.
 *
 * @example Usage
 * ```ts
 * import assert from "node:assert/strict";
 * import { formatDurationMs } from "./duration.ts";
 * assert.equal(formatDurationMs(90_000), "90s");
 * ```
 *
 * @param ms The duration in milliseconds.
 * @returns What {@linkcode parseDurationMs} reads back.
 */
export function formatDurationMs(ms: number): string {
  for (const [unit, unitMs] of UNIT_MS) {
    if (ms > 0 && ms % unitMs === 0) return `${ms / unitMs}${unit}`;
  }
  return `${ms}ms`;
}
