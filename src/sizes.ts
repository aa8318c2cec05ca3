/**
 * Numbers of bytes as people read them.
 *
 * @module
 */

const SIZE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** `1.2 MiB`. */
export function formatSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // What would be rounded up to 1024 is written in the next unit.
  while (value >= 1023.95 && unit < SIZE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${SIZE_UNITS[unit]}`;
}

/** What a server says of its limits, with its numbers of bytes as people read them. */
export function withSizes(text: string): string {
  return text.replace(
    /\b(\d{4,}) bytes\b/g,
    (_, bytes) => formatSize(Number(bytes)),
  );
}
