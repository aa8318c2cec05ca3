/** SIGKILL before and after every named step of publishing and taking away. */

import assert from "node:assert/strict";
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
    const swept = await sweep(
      FAILPOINTS,
      { ...group, scenarios },
      (steps, { name }) =>
        steps.filter((step) => !name.includes("MiB") || HASHING.test(step)),
    );
    for (const { scenario, tried, killed } of swept) {
      console.log(`${scenario}: killed at ${killed} of ${tried} steps`);
      assert(killed > 0);
    }
  });
}
