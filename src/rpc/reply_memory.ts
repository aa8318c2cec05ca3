/**
 * Memory for the replies of unary calls that are not values.
 *
 * @module
 */

import type { Budget } from "../engine/admission.ts";
import type { Call } from "../grpc/call.ts";
import { UNCOUNTED_VALUE_BYTES } from "../limits.ts";

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
  const grant = await budget.take(call.connection, bytes, call.signal);
  // At once where it has ended meanwhile.
  call.whenEnded(() => grant.release());
  call.signal.throwIfAborted();
}
