/**
 * Byte sizes as people write them: `1048576`, `64MiB`.
 *
 * @module
 */

const UNIT_BYTES: ReadonlyMap<string, number> = new Map([
  ["TiB", 2 ** 40],
  ["GiB", 2 ** 30],
  ["MiB", 2 ** 20],
  ["KiB", 2 ** 10],
]);

/**
 * Reads a number of bytes, with or without a binary suffix.
 *
 * @param text What was written.
 * @returns The number of bytes.
 * @throws {RangeError} When it is not a size; the message says how to write one.
 */
export function parseByteSize(text: string): number {
  const match = /^(\d+)([a-zA-Z]*)$/.exec(text.trim());
  const unit = match?.[2] ?? "";
  const unitBytes = unit === "" ? 1 : UNIT_BYTES.get(unit);
  if (!match || unitBytes === undefined) {
    throw new RangeError(
      "not a size: write bytes as a plain number, or 512KiB, 64MiB, 2GiB",
    );
  }
  return Number(match[1]) * unitBytes;
}

/**
 * Writes a size in the largest unit that needs no fraction.
 *
 * @param bytes The number of bytes.
 * @returns What {@linkcode parseByteSize} reads back.
 */
export function formatByteSize(bytes: number): string {
  for (const [unit, unitBytes] of UNIT_BYTES) {
    if (bytes > 0 && bytes % unitBytes === 0) {
      return `${bytes / unitBytes}${unit}`;
    }
  }
  return `${bytes}`;
}
