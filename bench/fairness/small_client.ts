/**
 * Hits of 1 KiB and heartbeats, one after the other, in a process of its own:
 * `small_client.ts ADDRESS`. A line in asks for the times since the last, a
 * line out tells.
 *
 * @module
 */

import { NS } from "../../tests/soak/site.ts";
import { answerLines } from "../../tests/support/reporting_child.ts";
import { SmallCalls } from "../../tests/support/small_calls.ts";
import { timesOf } from "./figures.ts";

/** Before each call: this client is to notice load, and to be none. Without a
 * pause the second call would profit from the first one's having waited. */
const PAUSE_MS = 1;

const [address] = Deno.args as [string];
using calls = await SmallCalls.open(address, NS);

let hitsMs: number[] = [];
let heartbeatsMs: number[] = [];

async function timed(times: number[], run: () => Promise<void>): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  const startMs = performance.now();
  await run();
  times.push(performance.now() - startMs);
}

async function run(): Promise<void> {
  for (;;) {
    await timed(hitsMs, () => calls.hit());
    await timed(heartbeatsMs, () => calls.heartbeat());
  }
}

function report(): object {
  const seen = { hit: timesOf(hitsMs), heartbeat: timesOf(heartbeatsMs) };
  [hitsMs, heartbeatsMs] = [[], []];
  return seen;
}

await Promise.all([answerLines(report), run()]);
