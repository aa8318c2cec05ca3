/**
 * The options of publishing work that is held.
 *
 * @module
 */

import {
  abortSignal,
  byteCount,
  callable,
  type KnownOptions,
  milliseconds,
} from "./checked_options.ts";
import type { PublishOptions } from "./tier.ts";

/** Each is checked where it is given. */
export const PUBLISH_OPTIONS: Readonly<
  Record<keyof PublishOptions, KnownOptions[string]>
> = {
  onProgress: callable,
  signal: abortSignal,
  expectedSize: byteCount,
  patienceMs: milliseconds,
  wanted: abortSignal,
};
