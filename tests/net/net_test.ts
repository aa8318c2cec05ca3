/** A random schedule of faults of the network, for a few seconds. */

import assert from "node:assert/strict";
import { denoCommand } from "../client/support.ts";
import type { Event, Fault } from "./history.ts";
import { runNet } from "./run.ts";
import { wrongs } from "./wrongs.ts";

const WORKER = new URL("./worker.mjs", import.meta.url);
const MODULE = new URL("../../src/client/mod.ts", import.meta.url).href;
const SEED = 3;
const BOUNDS = {
  ...{ patienceMs: 4_000, leaseMs: 4_000, intervalMs: 2_000 },
  ...{ graceMs: 8_000, slackMs: 500 },
};

Deno.test("values stay right, and calls end, while everything fails at random", async () => {
  const command = denoCommand(WORKER, MODULE);
  const { calls, wrongs } = await runNet({
    seed: SEED,
    seconds: 4,
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
  size: 10,
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
  computeMs: 400,
  lateMs: 0,
  id: "A",
  size: 10,
  source: "computed",
};
const again = [
  { ...computed, call: "2", id: "B", atMs: 200 },
  { ...called, call: "2", id: "B", beganMs: 200, endMs: 300 },
];

const second = { call: "2", beganMs: 200, endMs: 300 };
const { source: _, ...unsourced } = called;
const stream = { ...unsourced, kind: "stream" } as const;
const lost: Event = {
  type: "outage",
  worker: 0,
  atMs: 50,
  code: "lost",
  message: "it is not held any more",
};
const killed: Fault = {
  what: "server killed",
  worker: undefined,
  beganMs: -9_000,
  endMs: 0,
};
const away: Event = { ...lost, code: "unavailable", message: "no answer" };

const histories: Record<string, {
  readonly events: readonly Event[];
  readonly faults?: readonly Fault[];
  readonly wrong?: RegExp;
}> = {
  "right": { events: [computed, called] },
  "of a value that is put together of several": {
    events: [computed, { ...called, id: "mixed" }],
    wrong: /torn/,
  },
  "of a value that is cut short": {
    events: [computed, { ...called, size: 9 }],
    wrong: /torn/,
  },
  "of two who have values of their own": {
    events: [...again, computed, { ...called, kind: "get" }],
    wrong: /kept 2 times/,
  },
  "of work that waits for a server's grace": {
    events: [computed, { ...called, endMs: 25_000 }],
    faults: [{ ...killed, endMs: -7_900 }],
  },
  "of work that waits for longer": {
    events: [computed, { ...called, endMs: 25_000 }],
    faults: [{ ...killed, endMs: -8_100 }],
    wrong: /took 25000 ms/,
  },
  "of a value that nobody computed": {
    events: [called],
    wrong: /wrong value/,
  },
  "of a call beyond its deadline": {
    events: [computed, { ...called, deadlineMs: 50, endMs: 2_000 }],
    wrong: /took 2000 ms, of 50 ms/,
  },
  "of a deadline on a machine that was busy": {
    events: [
      computed,
      { ...called, deadlineMs: 50, endMs: 2_000, lateMs: 1_800 },
    ],
  },
  "of a stream that is read after its deadline": {
    events: [
      computed,
      { ...stream, deadlineMs: 50, startedMs: 40, endMs: 2_000 },
    ],
  },
  "of a call that goes on for longer than its patience": {
    events: [computed, { ...called, endMs: 9_000 }],
    faults: [{ what: "silent", worker: 0, beganMs: 0, endMs: 10_000 }],
    wrong: /went on for 9000 ms of silent/,
  },
  "of one that began long before": {
    events: [computed, { ...called, endMs: 9_000 }],
    faults: [{ what: "silent", worker: 0, beganMs: 4_000, endMs: 10_000 }],
  },
  "of a second computation": {
    events: [computed, called, ...again],
    wrong: /kept 2 times/,
  },
  "of a stream that is produced though it was kept": {
    events: [computed, called, again[0]!, { ...stream, ...second, id: "B" }],
    wrong: /which was kept/,
  },
  "of a stream that was cut and produced again": {
    events: [computed, called, again[0]!, { ...stream, ...second, id: "B" }],
    faults: [{ what: "cut", worker: 0, beganMs: 210, endMs: 211 }],
  },
  "of a computation that is not kept, and nothing is said": {
    events: [computed, { ...called, source: "uncached" }],
    wrong: /said nothing/,
  },
  "of a server that is away for no reason": {
    events: [computed, { ...called, source: "uncached" }, away],
    faults: [{ what: "refused", worker: 0, beganMs: -3_000, endMs: 0 }],
    wrong: /had unavailable without a fault/,
  },
  "of a server that is away": {
    events: [computed, { ...called, source: "uncached" }, away],
    faults: [{ what: "refused", worker: 0, beganMs: -4_500, endMs: 0 }],
  },
  "of a server that another worker's network cuts off": {
    events: [computed, { ...called, source: "uncached" }, away],
    faults: [{ what: "refused", worker: 1, beganMs: -4_500, endMs: 0 }],
    wrong: /had unavailable without a fault/,
  },
  "of work that is lost for no reason": {
    events: [computed, { ...called, source: "uncached" }, lost],
    faults: [{ what: "silent", worker: 0, beganMs: -1_000, endMs: 0 }],
    wrong: /had lost without a fault/,
  },
  "of work that is lost as its server stands still": {
    events: [computed, { ...called, source: "uncached" }, lost],
    faults: [{
      what: "server stopped",
      worker: undefined,
      beganMs: -5_000,
      endMs: 0,
    }],
    wrong: /had lost without a fault/,
  },
  "of work whose heartbeats do not come through": {
    events: [computed, { ...called, source: "uncached" }, lost],
    faults: [{ what: "silent", worker: 0, beganMs: -2_500, endMs: 0 }],
  },
  "of a download that is none": {
    events: [computed, called, { ...lost, code: "failed" }],
    faults: [{ what: "cut", worker: 0, beganMs: 0, endMs: 1 }],
    wrong: /had failed without a fault/,
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
