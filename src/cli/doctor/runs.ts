/**
 * Has `larder run` had to do without the cache?
 *
 * @module
 */

import { readTroubles, type Trouble } from "../run/trouble.ts";
import { type Finding, ok, warn } from "./finding.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;
/** What is longer ago has been seen, or is over. */
const DAYS = 7;

/** Looks at the notes that runs of this user have left on this machine. */
export async function runsCheck(): Promise<Finding> {
  return runsFinding(await readTroubles(), Date.now());
}

/** What the notes come to. */
export function runsFinding(
  troubles: readonly Trouble[],
  nowMs: number,
): Finding {
  const recent = troubles.filter(({ atMs }) => nowMs - atMs < DAYS * DAY_MS);
  const last = recent.at(-1);
  if (!last) return ok("runs", `none without the cache in ${DAYS} days`);
  return warn(
    "runs",
    `${recent.length} without the cache in ${DAYS} days, the last on ` +
      `${new Date(last.atMs).toISOString()}: ${last.reason}`,
    "see to the address, the server, or the folder that it names",
  );
}
