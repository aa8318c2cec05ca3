/** A short soak in the gate; `deno task soak` is the long one. */

import assert from "node:assert/strict";
import { soak } from "./soak_run.ts";
import { judge, SHORT_MARGINS } from "./verdict.ts";

/** Some seconds on two loaded cores. */
const CONNECTIONS = 2_000;

Deno.test("polite and rude connections by the thousand leave the server flat", async () => {
  const run = await soak({ connections: CONNECTIONS, sampleMs: 250 });
  assert.ok(run.tally.connections >= CONNECTIONS);
  assert.ok(run.tally.rude > CONNECTIONS / 10, "there were no rude ones");
  for (const { rule, seen, holds } of judge(run, SHORT_MARGINS)) {
    console.log(`soak: ${rule}: ${seen}`);
    assert.ok(holds, `${rule}: ${seen}`);
  }
});
