import { equal } from "node:assert/strict";
import { storingPatienceMs } from "./compute.ts";

Deno.test("storing an output is worth a tenth of what it took, within limits", () => {
  const all = [0, 1_000, 50_000, 60_000, 200_000, 400_000, 36_000_000];
  const patience = [5_000, 5_000, 5_000, 6_000, 20_000, 30_000, 30_000];
  for (const [at, tookMs] of all.entries()) {
    equal(storingPatienceMs(tookMs), patience[at]);
  }
});
