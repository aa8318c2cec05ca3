/**
 * What clients see of the table is what the contract promises, whatever the order of
 * events: generated requests, delays, failures and kills, watched by the
 * reference model.
 */

import fc from "fast-check";
import {
  entryKey,
  FakeEngine,
  type Fault,
  type Figures,
  unhex,
} from "./testing/fake_engine.ts";
import type { Api, Assignment, EntryKey, Id, Row } from "./types.ts";

/** Set this to the seed that a failed run printed to see it again. */
const SEED: number | undefined = undefined;
/** Each test run has others; `deno task long` has many more. */
const RUNS = Number(/--runs (\d+)/.exec(Deno.args.join(" "))?.[1] ?? 8_000);

const ENTRIES: readonly EntryKey[] = [
  entryKey("a", "x"),
  entryKey("a", "y"),
  entryKey("b.c", "x"),
];

/** Below, at and above every deadline of the figures. */
const SPANS_MS = [
  1,
  499,
  500,
  501,
  3_500,
  3_999,
  4_000,
  4_001,
  9_999,
  10_000,
  10_001,
  19_999,
  20_000,
  20_001,
  64_001,
  25 * 3_600_000,
] as const;

/** Which of the entries, ids, jobs: counted from the latest. */
const which = fc.nat({ max: 7 });
const api = fc.constantFrom<Api>("local", "remote", "stream");
const span = fc.constantFrom(...SPANS_MS);
const fault = fc.constantFrom<Fault>(
  ...Array<Fault>(6).fill("none"),
  "failed",
  "unreadable",
);

const action = fc.oneof(
  weighted(10, fc.tuple(is("get"), which, api, fc.boolean(), fc.boolean())),
  weighted(2, fc.tuple(is("get-from-disk"), which)),
  weighted(3, fc.tuple(is("heartbeat"), which)),
  weighted(5, fc.tuple(is("set"), which, fc.constantFrom(1, 2, 9))),
  weighted(5, fc.tuple(is("done"), which, fc.boolean())),
  weighted(4, fc.tuple(is("offer"), which, fc.constantFrom(1, 2, 9))),
  weighted(3, fc.tuple(is("abandon"), which)),
  weighted(2, fc.tuple(is("drop"), which)),
  weighted(5, fc.tuple(is("write"), which, fc.constantFrom(1, 2, 9, 0))),
  weighted(2, fc.tuple(is("cancel"), which)),
  weighted(16, fc.tuple(is("deliver"), which, fault)),
  weighted(3, fc.tuple(is("apply"), which, fault)),
  weighted(8, fc.tuple(is("settle"))),
  weighted(5, fc.tuple(is("advance"), span)),
  weighted(2, fc.tuple(is("evict"), which)),
  weighted(1, fc.tuple(is("sweep"), which)),
  weighted(2, fc.tuple(is("spoil"), which, fc.boolean())),
  weighted(2, fc.tuple(is("restart"), fc.nat({ max: 255 }))),
  weighted(2, fc.tuple(is("publish"), which)),
  weighted(3, fc.tuple(is("acknowledge"), which, fc.nat({ max: 3 }))),
  weighted(1, fc.tuple(is("repeat"), which)),
  weighted(1, fc.tuple(is("tick"))),
  weighted(1, fc.tuple(is("forget"), which)),
  weighted(
    1,
    fc.tuple(
      fc.constantFrom("drain" as const, "leave" as const, "tick" as const),
    ),
  ),
);

type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

const world = fc.record({
  small: fc.boolean(),
  original: fc.boolean(),
  actions: fc.array(action, { minLength: 1, maxLength: 60, size: "max" }),
});

Deno.test("StateTable keeps the contract whatever the order of events", () => {
  const seed = SEED ?? crypto.getRandomValues(new Int32Array(1))[0] ?? 0;
  console.log(`properties_test.ts: seed ${seed}, ${RUNS} runs`);
  fc.assert(
    fc.property(world, ({ small, original, actions }) => {
      const engine = new FakeEngine(figures(small), original ? ORIGINAL : []);
      let value = 0;
      try {
        for (const action of actions) value = perform(engine, action, value);
        engine.finish();
      } catch (cause) {
        throw new Error(`${cause}\n${engine.story()}`, { cause });
      }
    }),
    { seed, numRuns: RUNS },
  );
});

/** Rows as the original server leaves them: without id or digest. */
const ORIGINAL: readonly Row[] = (["loading", "ready", "evicting"] as const)
  .map(
    (status, index) => ({ ...ENTRIES[index] ?? entryKey("a", "x"), status }),
  );

function figures(small: boolean): Figures {
  return {
    leaseTimeoutMs: 4_000,
    restartGraceMs: 10_000,
    handleLeaseMs: 20_000,
    maxValueBytes: 8,
    streamBytes: 4,
    uncountedBytes: 0,
    keepsValues: small,
    maxAssignments: small ? 2 : 100,
    maxHandles: small ? 2 : 100,
    maxResting: small ? 1 : 100,
    maxComputeMs: small ? 9_000 : Infinity,
    quotas: small ? [{ pattern: "*", maxBytes: 6 }] : [],
  };
}

/** Does what the action says where it makes sense; counts the values. */
function perform(engine: FakeEngine, action: Action, value: number): number {
  switch (action[0]) {
    case "get":
      engine.ask({
        kind: "get",
        entry: anEntry(action[1]),
        api: action[2],
        assign: action[3],
        ...(action[4] ? { patient: true } : {}),
      });
      break;
    case "get-from-disk":
      engine.ask({
        kind: "get",
        entry: anEntry(action[1]),
        api: "stream",
        assign: false,
        fromDisk: true,
      });
      break;
    case "heartbeat":
      engine.ask({ kind: "heartbeat", id: anId(engine, action[1], true) });
      break;
    case "set": {
      const bytes = aValue(action[2], ++value);
      const id = anId(engine, action[1], false);
      engine.ask({ kind: "set", id, value: unhex(bytes) });
      break;
    }
    case "done":
      engine.ask({
        kind: "done",
        id: anId(engine, action[1], false),
        ...(action[2] ? { patient: true } : {}),
      });
      break;
    case "offer": {
      const bytes = aValue(action[2], ++value);
      engine.offer(anId(engine, action[1], false), bytes);
      break;
    }
    case "abandon":
      engine.ask({ kind: "abandon", id: anId(engine, action[1], false) });
      break;
    case "drop":
      engine.ask({ kind: "drop", id: anId(engine, action[1], true) });
      break;
    case "write": {
      const local = engine.assignments.filter((it) => it.staging !== undefined);
      const staging = latest(local, action[1])?.staging;
      if (staging === undefined) break;
      const file = action[2] > 0;
      engine.write(staging, file ? aValue(action[2], ++value) : undefined);
      break;
    }
    case "cancel":
      engine.cancel(engine.lastTicket - action[1]);
      break;
    case "deliver":
    case "apply": {
      const job = latest(engine.jobs, action[1]);
      if (job) engine[action[0]](job, action[2]);
      break;
    }
    case "advance":
      engine.advance(action[1]);
      break;
    case "evict":
      engine.ask({ kind: "evict", entry: anEntry(action[1]) });
      break;
    case "sweep": {
      const { name } = anEntry(action[1]);
      if (!engine.rows.has(name)) engine.ask({ kind: "sweep", name });
      break;
    }
    case "spoil":
      engine.spoil(anEntry(action[1]).name, action[2]);
      break;
    case "forget":
      engine.forget(anEntry(action[1]).name);
      break;
    case "publish":
      publish(engine, anEntry(action[1]), aValue(2, ++value));
      break;
    case "acknowledge":
      acknowledge(engine, anEntry(action[1]), {
        bytes: aValue(9, ++value),
        steps: action[2],
      });
      break;
    case "restart":
    case "repeat":
      engine[action[0]](action[1]);
      break;
    case "settle":
    case "drain":
    case "leave":
    case "tick":
      engine[action[0]]();
      break;
  }
  return value;
}

/** A short way to a ready entry: from there on things get interesting. */
function publish(engine: FakeEngine, entry: EntryKey, bytes: string): void {
  const id = assignment(engine, entry, "remote")?.id;
  if (id) engine.ask({ kind: "set", id, value: unhex(bytes) });
  engine.settle();
}

/** A short way to a Done that was answered some steps before its file is published. */
function acknowledge(
  engine: FakeEngine,
  entry: EntryKey,
  { bytes, steps }: { bytes: string; steps: number },
): void {
  const work = assignment(engine, entry, "local");
  if (work?.staging === undefined) return;
  engine.write(work.staging, bytes);
  engine.ask({ kind: "done", id: work.id });
  const [capture] = engine.jobs;
  if (capture) engine.deliver(capture);
  engine.advance(500);
  for (let step = 0; step < steps; step++) {
    const [next] = engine.jobs;
    if (next) engine.deliver(next);
  }
}

function assignment(
  engine: FakeEngine,
  entry: EntryKey,
  api: Api,
): Assignment | undefined {
  const ticket = engine.ask({ kind: "get", entry, api, assign: true });
  engine.settle();
  const reply = engine.replies.get(ticket);
  return reply?.kind === "assigned" ? reply.assignment : undefined;
}

/** The first entry is asked for most: there things meet. */
function anEntry(index: number): EntryKey {
  return ENTRIES[index < 5 ? 0 : index < 7 ? 1 : 2] ?? entryKey("a", "x");
}

/** Mostly the latest assignment; sometimes of the other sort, or made up. */
function anId(engine: FakeEngine, index: number, handle: boolean): Id {
  if (index === 7) return "77";
  const older = index < 3 ? 0 : index - 3;
  const assignment = latest(engine.assignments, older)?.id;
  const id = latest(engine.handles, older);
  return (handle === index % 2 > 0 ? id ?? assignment : assignment ?? id) ??
    "78";
}

/** A value that nobody else sends. */
function aValue(size: number, value: number): string {
  return value.toString(16).padStart(2, "0").slice(-2).repeat(size);
}

function latest<T>(things: readonly T[], index: number): T | undefined {
  return things[things.length - 1 - index];
}

function weighted<T>(
  weight: number,
  arbitrary: fc.Arbitrary<T>,
): fc.WeightedArbitrary<T> {
  return { weight, arbitrary };
}

function is<K extends string>(kind: K): fc.Arbitrary<K> {
  return fc.constant(kind);
}
