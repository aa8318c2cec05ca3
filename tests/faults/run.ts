/**
 * `deno task crash [--rounds 200] [--seed N]`: kills under load, then a kill and
 * an error at every system call that changes the disk.
 *
 * @module
 */

import { option, SEED } from "../rude/scale.ts";
import { whyNoTracer } from "../support/strace.ts";
import { crash } from "./crash.ts";
import { ERRORS, sweepErrors, sweepKills } from "./disk_sweeps.ts";
import { GROUPS } from "./kill_scenarios.ts";

await crash(option("rounds") ?? 200, SEED);
const skipped = await whyNoTracer();
if (skipped) console.log(`skipped: faults of system calls: ${skipped}`);
else {
  for (const group of GROUPS) {
    const all = { limit: Infinity, seed: SEED };
    await sweepKills(group, all);
    for (const error of ERRORS) await sweepErrors(group, error, all);
  }
}
