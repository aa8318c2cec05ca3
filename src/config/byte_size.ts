/**
 * Byte sizes as people write them: `1048576`, `64MiB`, `10G`.
 *
 * @module
 */

/** The units in which sizes are written; the largest first. */
const UNIT_BYTES: ReadonlyMap<string, number> = new Map([
  ["TiB", 2 ** 40],
  ["GiB", 2 ** 30],
  ["MiB", 2 ** 20],
  ["KiB", 2 ** 10],
]);

/** As `du` and `ls` write them: `10G` is 10 GiB. */
const LETTERS = ["K", "M", "G", "T"];

/**
 * Reads a number of bytes, with or without a binary suffix: `512KiB`, `1.5GiB`,
 * and `10G` for `10GiB`. Decimal units, as `10GB`, are refused: some mean one,
 * and some the other.
 *
 * @param text What was written.
 * @returns The number of bytes.
 * @throws {RangeError} When it is not a size; the message says how to write one.
 */
export function parseByteSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([a-zA-Z]*)$/.exec(text.trim());
  const unit = match?.[2] ?? "";
  const name = LETTERS.includes(unit) ? `${unit}iB` : unit;
  const unitBytes = unit === "" ? 1 : UNIT_BYTES.get(name);
  if (!match || unitBytes === undefined) {
    const meant = /^[KMGT]B?$/i.test(unit)
      ? `write ${match![1]}${unit[0]!.toUpperCase()}iB; `
      : "";
    throw new RangeError(
      `not a size: ${meant}write bytes as a plain number, or 512KiB, 64MiB, ` +
        "1.5GiB, 2G",
    );
  }
  const bytes = Number(match[1]) * unitBytes;
  if (unit === "" && !Number.isInteger(bytes)) {
    throw new RangeError("not a size: there is no part of a byte");
  }
  return Math.round(bytes);
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
