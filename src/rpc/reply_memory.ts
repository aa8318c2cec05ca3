/**
 * Memory for the replies of unary calls that are not values.
 *
 * @module
 */

import type { ServerUnaryCall } from "@grpc/grpc-js";
import type { Budget } from "../engine/admission.ts";
import { UNCOUNTED_VALUE_BYTES } from "../limits.ts";
import { connectionOf } from "./transport/mod.ts";

/** A call that is to be answered. */
export type Call = ServerUnaryCall<unknown, unknown>;

/** Who shares memory fairly with others: the call's connection. */
export function ownerOf(call: Call): object {
  return connectionOf(call) ?? call;
}

/** Aborted when the call ends. */
export function endOf(call: Call): AbortSignal {
  if (call.cancelled) return AbortSignal.abort();
  const ended = new AbortController();
  // Emitted at every end of a call.
  call.once("cancelled", () => ended.abort());
  return ended.signal;
}

/**
 * Takes memory for a reply before it is made; it is given back when the call has
 * ended. Rejects where that comes first. A small reply takes none.
 */
export async function takeMemory(
  budget: Budget,
  call: Call,
  bytes: number,
): Promise<void> {
  if (bytes <= UNCOUNTED_VALUE_BYTES) return;
  const ended = endOf(call);
  const grant = await budget.take(ownerOf(call), bytes, ended);
  if (ended.aborted) grant.release();
  ended.throwIfAborted();
  ended.addEventListener("abort", () => grant.release(), { once: true });
}
