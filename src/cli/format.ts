/**
 * Sizes, ages, keys and tables as people read them.
 *
 * @module
 */

export { asText, formatKey, toHex } from "../key_text.ts";
export { formatSize, withSizes } from "../sizes.ts";

const AGE_UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** `3 min`, `0.4 s`: how long something took, or takes. */
export function formatSpan(ms: number): string {
  for (const [unit, unitMs] of AGE_UNITS) {
    if (ms >= 10 * unitMs) return `${Math.floor(ms / unitMs)} ${unit}`;
    // To the nearest: of 2 days that have just begun there are no 1.9 left.
    if (ms >= unitMs) return `${Math.round(ms / unitMs * 10) / 10} ${unit}`;
  }
  return `${Math.floor(ms)} ms`;
}

/** `3 min ago`, from milliseconds since 1970; 0: it is not known. */
export function formatAge(thenMs: number, nowMs: number): string {
  if (thenMs === 0) return "-";
  const ageMs = nowMs - thenMs;
  for (const [unit, unitMs] of AGE_UNITS) {
    if (ageMs >= unitMs) return `${Math.floor(ageMs / unitMs)} ${unit} ago`;
  }
  return "just now";
}

/** Rows with their columns under each other; numbers of bytes are on the right. */
export function table(
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, at) => {
      widths[at] = Math.max(widths[at] ?? 0, cell.length);
    });
  }
  return rows.map((row) =>
    row.map((cell, at) =>
      right.includes(at)
        ? cell.padStart(widths[at]!)
        : at === row.length - 1
        ? cell
        : cell.padEnd(widths[at]!)
    ).join("  ") + "\n"
  ).join("");
}

/** `1 entry`, `2 entries`. */
export function count(
  number: number,
  one: string,
  many: string = `${one}s`,
): string {
  return `${number} ${number === 1 ? one : many}`;
}
