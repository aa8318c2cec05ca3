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

function figures(times: readonly number[]): object {
  const sorted = Float64Array.from(times).sort();
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))];
  return {
    calls: sorted.length,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
  };
}

function report(): object {
  const seen = { hit: figures(hitsMs), heartbeat: figures(heartbeatsMs) };
  [hitsMs, heartbeatsMs] = [[], []];
  return seen;
}

await Promise.all([answerLines(report), run()]);
