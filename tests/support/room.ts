/**
 * Room that a busy machine takes long to make.
 *
 * @module
 */

import { status } from "@grpc/grpc-js";
import { MAX_REPLY_WAIT_MS } from "../../src/limits.ts";
import { PATIENCE_MS } from "./waiting.ts";

/** There was no work for a client that was expected to get it. */
export class NotAssigned extends Error {}

/**
 * Calls again as long as a call is refused that has waited for room as long as it
 * may: so long can making room take on a busy machine, and who asks again has it.
 * What is refused sooner has not waited, and fails.
 */
export async function whileRoomIsMade<T>(call: () => Promise<T>): Promise<T> {
  const endMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const calledMs = performance.now();
    try {
      return await call();
    } catch (error) {
      const nowMs = performance.now();
      const hasWaited = nowMs - calledMs >= MAX_REPLY_WAIT_MS;
      if (!isRefusal(error) || !hasWaited || nowMs > endMs) throw error;
    }
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof NotAssigned ||
    (error as { readonly code?: number }).code === status.RESOURCE_EXHAUSTED;
}
