/**
 * What a start makes of the rows that were not ready when the server stopped.
 *
 * @module
 */

import { assignmentOf, workOf } from "./asked.ts";
import { entryOfRow } from "./asking.ts";
import { startEvicting } from "./evicting.ts";
import { graceEndMs } from "./grace.ts";
import { republish } from "./publish.ts";
import type { State, Work } from "./state.ts";
import type { Row } from "./types.ts";

/** Takes a row as it was found; `captured`: its captured file is still there. */
export function restore(
  s: State,
  row: Row,
  { captured, nowMs }: { captured: boolean; nowMs: number },
): void {
  if (row.status === "ready") return;
  if (row.status === "evicting") {
    const entry = entryOfRow(s, row);
    return startEvicting(s, entry, { damaged: false, rowId: row.id });
  }
  // The original server's ids died with it: the next one who asks is assigned.
  if (row.id === undefined) return;
  const { id, digest } = row;
  const entry = entryOfRow(s, row);
  const assignment = assignmentOf(id, row);
  const deadlineMs = graceEndMs(s, row, nowMs) ??
    nowMs + s.options.restartGraceMs;
  const work: Work = { ...workOf(s, row, nowMs), graced: true };
  entry.state = { kind: "loading", assignment, deadlineMs, work };
  s.hold(id, entry, { graced: true });
  // The Done of a captured file may have been answered: it is ours to publish.
  if (captured) {
    entry.state.taken = { acknowledged: true, found: true };
  } else if (digest) {
    // The digest was recorded and the capture is gone: it was installed.
    const installed = true;
    entry.state.taken = { acknowledged: true, found: true, digest, installed };
  }
  republish(s, entry);
}
