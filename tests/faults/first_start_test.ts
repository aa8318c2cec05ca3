/** Each step of a first start, as a place to be killed at. */

import assert from "node:assert/strict";
import { whyNoTracer } from "../support/strace.ts";
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
    for (const step of steps) {
      const { call, name, nth } = step;
      await context.step(`${call} ${name} ${nth}`, () => killFirstStart(step));
    }
  },
});
