/**
 * Kills a server, or lets it fail, at the system calls of each scenario, and
 * says at how many.
 *
 * @module
 */

import assert from "node:assert/strict";
import { status } from "@grpc/grpc-js";
import { type Choice, chooser } from "./chosen.ts";
import { failedCalls, KILLED_AT_CALLS, type Place } from "./disk_calls.ts";
import type { Group } from "./kill_scenarios.ts";
import { type Fault, sweep } from "./kill_sweep.ts";

/** What Set and Done may say of an error, if they say anything. */
const CLEAR = {
  ENOSPC: [status.RESOURCE_EXHAUSTED, status.UNAVAILABLE],
  EIO: [status.UNAVAILABLE],
} as const;
/** Errors of system calls. */
export const ERRORS = Object.keys(CLEAR) as readonly (keyof typeof CLEAR)[];

/** What they are answered does not say whether it has worked. */
const NOT_TOLD = ["a clean stop", "giving up"];

/** Kills at each call, and starts again. */
export async function sweepKills(group: Group, choice: Choice): Promise<void> {
  const killed = await report("killed", KILLED_AT_CALLS, { group, choice });
  assert(killed > 0);
}

/** Lets each call fail once. */
export async function sweepErrors(
  group: Group,
  error: keyof typeof CLEAR,
  choice: Choice,
): Promise<void> {
  const fault = failedCalls(error, (failure) => {
    const { code, message } = failure as Error & { code?: number };
    // Nobody computes for a cache that cannot keep it.
    if (message.endsWith("got unassigned")) return;
    const clear: readonly (number | undefined)[] = CLEAR[error];
    assert(clear.includes(code), `${code} ${message}`);
  });
  const scenarios = group.scenarios
    .filter(({ name }) => !NOT_TOLD.includes(name));
  await report(error, fault, { group: { ...group, scenarios }, choice });
}

/** How often the server was killed. */
async function report(
  what: string,
  fault: Fault<Place>,
  { group, choice }: {
    readonly group: Group;
    readonly choice: Choice;
  },
): Promise<number> {
  const swept = await sweep(fault, group, chooser(choice));
  let sum = 0;
  for (const { scenario, places, tried, killed } of swept) {
    const died = fault.deadly === true ? `, died at ${killed}` : "";
    console.log(
      `${scenario}, ${group.name}: ${what} at ${tried} of ${places} calls` +
        `${died}; --seed ${choice.seed}`,
    );
    sum += killed;
  }
  return sum;
}
