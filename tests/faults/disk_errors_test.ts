/**
 * Each system call by which a server changes its disk fails once: the client is
 * told clearly or not at all, the work stays its own, and nothing is lost.
 */

import assert from "node:assert/strict";
import { status } from "@grpc/grpc-js";
import { failedCalls } from "./disk_calls.ts";
import { GROUPS } from "./kill_scenarios.ts";
import { sweep } from "./kill_sweep.ts";
import { whyNoTracer } from "./strace.ts";

const skipped = await whyNoTracer();
if (skipped) console.log(`skipped: errors of system calls: ${skipped}`);

const CLEAR: Record<string, readonly (number | undefined)[]> = {
  ENOSPC: [status.RESOURCE_EXHAUSTED, status.UNAVAILABLE],
  EIO: [status.UNAVAILABLE],
};

/** What they are answered does not say whether it has worked. */
const NOT_TOLD = ["a clean stop", "giving up"];

for (const group of GROUPS) {
  for (const [error, codes] of Object.entries(CLEAR)) {
    Deno.test({
      name:
        `a server ${group.name} gets over any change of the disk that fails with ${error}`,
      ignore: skipped !== undefined,
      async fn() {
        const check = (failure: unknown) => {
          const { code, message } = failure as Error & { code?: number };
          // Nobody computes for a cache that cannot keep it.
          if (message.endsWith("got unassigned")) return;
          assert(codes.includes(code), `${code} ${message}`);
        };
        const scenarios = group.scenarios
          .filter(({ name }) => !NOT_TOLD.includes(name));
        const fault = failedCalls(error, check);
        for (
          const { scenario, tried } of await sweep(fault, {
            ...group,
            scenarios,
          })
        ) {
          console.log(`${scenario}: ${tried} calls have failed`);
        }
      },
    });
  }
}
