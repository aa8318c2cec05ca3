/** Some system calls of some scenarios; `deno task crash` tries all. */

import { option, SEED } from "../rude/scale.ts";
import { whyNoTracer } from "../support/strace.ts";
import { chooser } from "./chosen.ts";
import { ERRORS, sweepErrors, sweepKills } from "./disk_sweeps.ts";
import { GROUPS } from "./kill_scenarios.ts";

const choice = { limit: option("places") ?? 1, seed: SEED };
/** Scenarios of a group. */
const someOf = chooser({ limit: option("places") ?? 2, seed: SEED });
const someErrors = chooser(choice);
const skipped = await whyNoTracer();
if (skipped) console.log(`skipped: faults of system calls: ${skipped}`);
const ignore = skipped !== undefined;

for (const group of GROUPS) {
  const some = () => ({ ...group, scenarios: someOf(group.scenarios) });
  Deno.test({
    name:
      `a server ${group.name} that is killed at any change of the disk keeps its word`,
    ignore,
    fn: () => sweepKills(some(), choice),
  });
  Deno.test({
    name:
      `a server ${group.name} gets over any change of the disk that fails once`,
    ignore,
    async fn(test) {
      for (const error of someErrors(ERRORS)) {
        await test.step(error, () => sweepErrors(some(), error, choice));
      }
    },
  });
}
