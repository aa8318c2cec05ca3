/**
 * SIGKILL before and after named steps of publishing and taking away: some of each
 * scenario; `deno task long` tries all.
 */

import assert from "node:assert/strict";
import { option, SEED } from "../rude/scale.ts";
import { chooser } from "./chosen.ts";
import { FAILPOINTS } from "./failpoints.ts";
import { GROUPS } from "./kill_scenarios.ts";
import { sweep } from "./kill_sweep.ts";

/** Steps of the value's size and not of the scenario: once is enough. */
const HASHING = /local\.hash$/;

for (const group of GROUPS) {
  // The stores' steps are the same, whatever is synced.
  if (group.flags.includes("--durability=strict")) continue;
  Deno.test(`a server ${group.name} that is killed at any step keeps its word`, async () => {
    // A stop closes the stores below the decorators.
    const scenarios = group.scenarios.filter(({ name }) =>
      name !== "a clean stop" && name !== "Set of 3 MiB"
    );
    const choice = { limit: option("places") ?? 1, seed: SEED };
    const choose = chooser(choice);
    const swept = await sweep(
      FAILPOINTS,
      { ...group, scenarios },
      (steps, { name }) =>
        choose(
          steps.filter((step) => !name.includes("MiB") || HASHING.test(step)),
        ),
    );
    let sum = 0;
    for (const { scenario, tried, killed } of swept) {
      console.log(
        `${scenario}: killed at ${killed} of ${tried} steps; --seed ${choice.seed}`,
      );
      sum += killed;
    }
    assert(sum > 0, "no server came by the step at which it was to die");
  });
}
