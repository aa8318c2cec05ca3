/**
 * How a server is asked.
 *
 * @module
 */

import type { EndSignal } from "./ending.ts";

/** How hard to try, beside when to end it. */
export interface CallEffort {
  /** Ends the call. */
  readonly signal?: EndSignal | undefined;
  /**
   * `usual`: until the patience ends, but one attempt at most while the server
   * is known to be away. `full`: until the patience ends.
   */
  readonly effort?: "usual" | "full";
  /** How long to try; by default it is known of the server. */
  readonly patienceMs?: number | undefined;
  /** Nothing is lost while a server that lives takes its time. */
  readonly isTrusting?: boolean;
  /** Aborted when the process is not to live for it any more. */
  readonly wanted?: EndSignal | undefined;
}
