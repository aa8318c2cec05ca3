/**
 * What a configuration is refused with.
 *
 * @module
 */

import { completeConfig, type GivenConfig } from "../../config.ts";

/** The message; empty: it is taken. */
export function refusal(given: GivenConfig): string {
  try {
    completeConfig(given);
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}
