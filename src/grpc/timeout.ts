/**
 * `grpc-timeout`: how long the client waits.
 *
 * @module
 */

import { MAX_TIMEOUT_MS } from "./limits.ts";

const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** At most eight digits and a unit. */
const MAX_LENGTH = 9;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

/**
 * Reads a timeout.
 *
 * @param value The value of the field.
 * @returns Milliseconds, at most what a timer can wait; `undefined`: malformed.
 */
export function parseTimeoutMs(value: string): number | undefined {
  const last = value.length - 1;
  const unitMs = UNIT_MS[value.charAt(last)];
  if (unitMs === undefined || last < 1 || value.length > MAX_LENGTH) {
    return undefined;
  }
  let amount = 0;
  for (let at = 0; at < last; at++) {
    const code = value.charCodeAt(at);
    if (code < DIGIT_0 || code > DIGIT_9) return undefined;
    amount = amount * 10 + code - DIGIT_0;
  }
  return Math.min(amount * unitMs, MAX_TIMEOUT_MS);
}
