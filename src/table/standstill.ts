/**
 * What a standstill of the server means for leases: it did not read what was
 * sent to renew them.
 *
 * @module
 */

import type { State } from "./state.ts";

/**
 * Leases that had not ended when it began last longer by all of it, and so does
 * the grace of a holder whose file is being published, or is ours.
 */
export function stoodStill(s: State, sinceMs: number, ms: number): void {
  for (const { state } of s.assignments.values()) {
    if (state.kind !== "loading" && state.kind !== "publishing") continue;
    const { deadlineMs, holderMs } = state;
    if (deadlineMs > sinceMs) state.deadlineMs += ms;
    if (holderMs !== undefined && holderMs > sinceMs) {
      state.holderMs = holderMs + ms;
    }
  }
  for (const handle of s.handles.values()) {
    if (handle.expiresMs > sinceMs) handle.expiresMs += ms;
  }
}
