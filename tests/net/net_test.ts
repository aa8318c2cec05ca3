/** A random schedule of faults of the network, for a few seconds. */

import assert from "node:assert/strict";
import { denoCommand } from "../client/support.ts";
import { type Event, type Fault, wrongs } from "./history.ts";
import { runNet } from "./run.ts";

const WORKER = new URL("./worker.mjs", import.meta.url);
const MODULE = new URL("../../src/client/mod.ts", import.meta.url).href;
const SEED = 7;
const BOUNDS = {
  ...{ patienceMs: 4_000, leaseMs: 4_000, intervalMs: 2_000 },
  ...{ awayMs: 0, slackMs: 1_000 },
};

Deno.test("values stay right, and calls end, while everything fails at random", async () => {
  const command = denoCommand(WORKER, MODULE);
  const { calls, wrongs } = await runNet({
    seed: SEED,
    seconds: 6,
    workers: [command, command],
  });
  assert.deepEqual(wrongs, [], `seed ${SEED}`);
  assert(calls > 0);
});

const computed: Event = {
  type: "computation",
  call: "1",
  key: "k",
  id: "A",
  atMs: 0,
  worker: 0,
};
const called: Event = {
  type: "call",
  call: "1",
  kind: "generate",
  key: "k",
  worker: 0,
  beganMs: 0,
  endMs: 100,
  id: "A",
  source: "computed",
};
const again = [
  { ...computed, call: "2", id: "B", atMs: 200 },
  { ...called, call: "2", id: "B", beganMs: 200, endMs: 300 },
];

const histories: Record<string, {
  readonly events: readonly Event[];
  readonly faults?: readonly Fault[];
  readonly wrong?: RegExp;
}> = {
  "right": { events: [computed, called] },
  "of a torn value": {
    events: [computed, { ...called, id: "torn" }],
    wrong: /torn/,
  },
  "of a value that nobody computed": {
    events: [called],
    wrong: /wrong value/,
  },
  "of a call beyond its deadline": {
    events: [computed, { ...called, deadlineMs: 50, endMs: 2_000 }],
    wrong: /took 2000 ms, of 50 ms/,
  },
  "of a second computation": {
    events: [computed, called, ...again],
    wrong: /kept 2 times/,
  },
  "of a computation that is not kept for no reason": {
    events: [computed, { ...called, source: "uncached" }],
    wrong: /without a fault/,
  },
  "of one that is not kept for a reason": {
    events: [computed, { ...called, source: "uncached" }],
    faults: [{ what: "cut", worker: 0, beganMs: -3_000, endMs: 50 }],
  },
};
for (
  const [name, { events, faults = [], wrong }] of Object.entries(histories)
) {
  Deno.test(`the checker knows a history ${name}`, () => {
    const found = wrongs(events, faults, BOUNDS);
    if (!wrong) return assert.deepEqual(found, []);
    assert(found.length > 0);
    assert.match(found.join("\n"), wrong);
  });
}
