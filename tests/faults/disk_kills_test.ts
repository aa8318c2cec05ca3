/** Some places of each scenario; `deno task crash` tries all. */

import { option, SEED } from "../rude/scale.ts";
import { sweepDiskCalls } from "./disk_kills.ts";
import { GROUPS } from "./kill_scenarios.ts";
import { whyNoTracer } from "./strace.ts";

const skipped = await whyNoTracer();
if (skipped) console.log(`skipped: kills at system calls: ${skipped}`);

for (const group of GROUPS) {
  Deno.test({
    name:
      `a server ${group.name} that is killed at any change of the disk keeps its word`,
    ignore: skipped !== undefined,
    async fn() {
      const limit = option("places") ?? 2;
      await sweepDiskCalls(group, { limit, seed: SEED });
    },
  });
}
