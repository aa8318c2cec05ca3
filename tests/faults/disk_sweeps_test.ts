/** Some system calls of each scenario; `deno task crash` tries all. */

import { option, SEED } from "../rude/scale.ts";
import { whyNoTracer } from "../support/strace.ts";
import { ERRORS, sweepErrors, sweepKills } from "./disk_sweeps.ts";
import { GROUPS } from "./kill_scenarios.ts";

const choice = { limit: option("places") ?? 1, seed: SEED };
const skipped = await whyNoTracer();
if (skipped) console.log(`skipped: faults of system calls: ${skipped}`);
const ignore = skipped !== undefined;

for (const group of GROUPS) {
  Deno.test({
    name:
      `a server ${group.name} that is killed at any change of the disk keeps its word`,
    ignore,
    fn: () => sweepKills(group, choice),
  });
  for (const error of ERRORS) {
    Deno.test({
      name:
        `a server ${group.name} gets over any change of the disk that fails with ${error}`,
      ignore,
      fn: () => sweepErrors(group, error, choice),
    });
  }
}
