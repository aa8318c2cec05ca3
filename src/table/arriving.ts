/**
 * Values that come in pieces: whether the disk may take the next one.
 *
 * @module
 */

import { noRoom } from "./publish.ts";
import type { State, Wait } from "./state.ts";
import type { RequestOf } from "./types.ts";

/** Counts bytes that come, has room made for them if it may be, or refuses them. */
export function arrive(
  s: State,
  wait: Wait<RequestOf<"piece">>,
): void {
  const { request } = wait;
  s.arriving.delete(wait);
  const entry = s.assignments.get(request.id);
  // Whose work has ended hears so at the end of the value.
  const shortage = entry && s.room.incoming(entry.key.namespace, request);
  if (entry) s.makeRoom({ urgent: true });
  if (!shortage) return s.reply(wait, { kind: "ok" });
  const waits = !shortage.never && !s.draining && wait.inTime &&
    s.isDiskHelped;
  if (waits) return void s.arriving.add(wait);
  s.reply(wait, { kind: "error", error: noRoom(request.id, shortage) });
}
