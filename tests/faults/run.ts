/**
 * `deno task crash [--rounds 200] [--seed N]`: kills under load, then a kill at
 * every system call that changes the disk.
 *
 * @module
 */

import { option, SEED } from "../rude/scale.ts";
import { crash } from "./crash.ts";
import { sweepDiskCalls } from "./disk_kills.ts";
import { GROUPS } from "./kill_scenarios.ts";
import { whyNoTracer } from "./strace.ts";

await crash(option("rounds") ?? 200, SEED);
const skipped = await whyNoTracer();
if (skipped) console.log(`skipped: kills at system calls: ${skipped}`);
else {
  for (const group of GROUPS) {
    await sweepDiskCalls(group, { limit: Infinity, seed: SEED });
  }
}
