/** Some steps of a first start, as places to be killed at; `deno task long` tries all. */

import assert from "node:assert/strict";
import { option, SEED } from "../rude/scale.ts";
import { whyNoTracer } from "../support/strace.ts";
import { chooser } from "./chosen.ts";
import { firstStartSteps, killFirstStart } from "./first_start.ts";

const skipped = await whyNoTracer();
if (skipped) console.log(`skipped: kills of a first start: ${skipped}`);

Deno.test({
  name:
    "a first start that was killed, at whichever step, is followed by another",
  ignore: skipped !== undefined,
  async fn(context) {
    const steps = await firstStartSteps();
    assert(steps.length >= 10, JSON.stringify(steps));
    const choice = { limit: option("places") ?? 3, seed: SEED };
    console.log(`first start: --places ${choice.limit} --seed ${choice.seed}`);
    for (const step of chooser(choice)(steps)) {
      const { call, name, nth } = step;
      await context.step(`${call} ${name} ${nth}`, () => killFirstStart(step));
    }
  },
});
