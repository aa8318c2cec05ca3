/**
 * Numbers as people read them.
 *
 * @module
 */

const SIZE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const SPAN_UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
];

/** `18,204`. */
export function formatCount(number) {
  return Math.round(number).toLocaleString("en-US");
}

/** `1.2 MiB`. */
export function formatSize(bytes) {
  let value = bytes;
  let unit = 0;
  while (value >= 1023.95 && unit < SIZE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(unit === 0 || value >= 99.95 ? 0 : 1)} ${
    SIZE_UNITS[unit]
  }`;
}

/** `3 min`, `0.4 s`. */
export function formatSpan(ms) {
  for (const [unit, unitMs] of SPAN_UNITS) {
    if (ms >= 10 * unitMs) return `${Math.floor(ms / unitMs)} ${unit}`;
    if (ms >= unitMs) return `${Math.floor(ms / unitMs * 10) / 10} ${unit}`;
  }
  return ms >= 10 || ms === 0 ? `${Math.round(ms)} ms` : `${ms.toFixed(2)} ms`;
}

/** `91 %`; of nothing there is no share. */
export function formatShare(part, whole) {
  return whole > 0 ? `${Math.floor(100 * part / whole)} %` : "–";
}
