/**
 * Kills at the system calls of each scenario, and says at how many.
 *
 * @module
 */

import assert from "node:assert/strict";
import { randomFrom } from "../rude/scale.ts";
import { KILLED_AT_CALLS } from "./disk_calls.ts";
import type { Group } from "./kill_scenarios.ts";
import { sweep } from "./kill_sweep.ts";

/** Kills at `limit` calls of each scenario, whichever the seed says. */
export async function sweepDiskCalls(
  group: Group,
  { limit, seed }: { readonly limit: number; readonly seed: number },
): Promise<void> {
  const random = randomFrom(seed);
  const swept = await sweep(KILLED_AT_CALLS, group, (places) => {
    const ranked = places.map((place) => ({ place, rank: random() }));
    ranked.sort((a, b) => a.rank - b.rank);
    return ranked.slice(0, limit).map(({ place }) => place);
  });
  for (const { scenario, places, tried, killed } of swept) {
    console.log(
      `${scenario}, ${group.name}: killed at ${killed} of ${tried} calls ` +
        `that were tried, of ${places}; --seed ${seed}`,
    );
  }
  assert(swept.some(({ killed }) => killed > 0));
}
