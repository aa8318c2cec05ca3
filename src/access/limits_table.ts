/**
 * How limits are written in the file of `--access`.
 *
 * @module
 */

import { parseByteSize } from "../config/byte_size.ts";
import { messageOf, StartError } from "../errors.ts";
import { isTable } from "../toml.ts";
import type { CallerLimits } from "./limits.ts";

const COUNTS = ["calls", "assignments", "handles"] as const;
/** Bytes a second. */
const UPLOAD = "upload-rate";
/** A client may send as much of a request before it hears from us. */
const MIN_UPLOAD_BYTES = 64 * 1024;
/** Lifts a limit that the others have. */
const UNLIMITED = "unlimited";

/**
 * Reads a table of limits.
 *
 * @param where Begins what is said of a mistake.
 * @param given The table; absent: it says nothing.
 * @param usual What holds where it says nothing.
 * @throws {StartError} It says something that is not known.
 */
export function limitsOf(
  where: string,
  given: unknown = {},
  usual: CallerLimits = {},
): CallerLimits {
  if (!isTable(given)) {
    throw new StartError(2, `${where} must be a table: { calls = 32 }`);
  }
  const limits: { -readonly [limit in keyof CallerLimits]: number } = {
    ...usual,
  };
  for (const [key, value] of Object.entries(given)) {
    const limit = key === UPLOAD
      ? "uploadBytes"
      : COUNTS.find((count) => count === key);
    if (limit === undefined) {
      throw new StartError(
        2,
        `${where}: no such key: ${key}; there are ${COUNTS.join(", ")}, ` +
          UPLOAD,
      );
    }
    if (value === UNLIMITED) delete limits[limit];
    else limits[limit] = numberOf(`${where}: ${key}`, value, key === UPLOAD);
  }
  return limits;
}

function numberOf(where: string, value: unknown, isSize: boolean): number {
  let number = value;
  if (isSize && typeof value === "string") {
    try {
      number = parseByteSize(value);
    } catch (error) {
      throw new StartError(2, `${where}: ${messageOf(error)}`);
    }
  }
  const [example, least, words] = isSize
    ? ['a size, such as "10MiB"', MIN_UPLOAD_BYTES, "64KiB"] as const
    : ["a whole number", 1, "1"] as const;
  if (
    typeof number === "number" && Number.isSafeInteger(number) &&
    number >= least
  ) return number;
  throw new StartError(
    2,
    `${where} must be ${example}, of ${words} at least, or "${UNLIMITED}"`,
  );
}
