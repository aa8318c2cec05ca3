/**
 * The grace that a start gives the work it finds: its holders may need some
 * time to notice that there is a server again.
 *
 * @module
 */

import type { Entry, State } from "./state.ts";
import type { Id, Row } from "./types.ts";

/**
 * When the grace of a row ends, on the monotonic clock; `undefined`: it has
 * none. It is that of the first start: another one, before the holder is heard,
 * adds nothing to it.
 */
export function graceEndMs(
  s: State,
  { graceEndsMs }: Row & { status: "loading" },
  nowMs: number,
): number | undefined {
  if (graceEndsMs === undefined) return undefined;
  const { startWallMs, restartGraceMs } = s.options;
  const endMs = s.startMs + graceEndsMs - startWallMs;
  // The wall clock may have been set back: no start gives more than its own.
  return Math.max(nowMs, Math.min(endMs, s.startMs + restartGraceMs));
}

/** The holder was heard: the next start gives it a grace of its own. */
export function heardHolder(s: State, { key, state }: Entry, id: Id): void {
  if (state.kind !== "loading" && state.kind !== "publishing") return;
  if (!state.work.graced) return;
  delete state.work.graced;
  s.emit({ kind: "renewed", entry: key, id });
}
