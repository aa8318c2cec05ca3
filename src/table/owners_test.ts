/** Ids are their owner's alone, and who only reads changes nothing. */

import assert from "node:assert/strict";
import { entryKey, FakeEngine, type Figures } from "./testing/fake_engine.ts";
import { unhex } from "./testing/fake_stores.ts";
import { assigned, refused, settled } from "./testing/stories.ts";
import type { Api, Id } from "./types.ts";

const LEASE_MS = 4_000;
const ENTRY = entryKey("ns", "k");
const FIGURES: Figures = {
  leaseTimeoutMs: LEASE_MS,
  restartGraceMs: 60_000,
  handleLeaseMs: 100_000,
  maxValueBytes: 8,
  uncountedBytes: 0,
  maxAssignments: 2,
  maxHandles: 2,
  maxResting: 10,
  maxComputeMs: Infinity,
  quotas: [],
};

const alice = { by: "alice" };
const OTHERS = [{ by: "mallory" }, {}];

function get(
  engine: FakeEngine,
  who: object,
  api: Api = "remote",
  assign = true,
) {
  const request = { kind: "get", entry: ENTRY, api, assign, ...who } as const;
  return settled(engine, engine.ask(request));
}

const beat = (engine: FakeEngine, id: Id, who: object) =>
  settled(engine, engine.ask({ kind: "heartbeat", id, ...who }));
const set = (engine: FakeEngine, id: Id, who: object) =>
  settled(engine, engine.ask({ kind: "set", id, value: unhex("01"), ...who }));

Deno.test("an assignment is its owner's alone, also when it has published", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = assigned(get(engine, alice));
  for (const other of OTHERS) {
    refused(beat(engine, id, other), "invalid-assignment-id");
    refused(set(engine, id, other), "invalid-assignment-id");
    refused(
      settled(engine, engine.ask({ kind: "abandon", id, ...other })),
      "invalid-assignment-id",
    );
  }
  assert.equal(beat(engine, id, alice).kind, "ok");
  assert.equal(set(engine, id, alice).kind, "ok");
  for (const other of OTHERS) {
    refused(set(engine, id, other), "invalid-assignment-id");
  }
  assert.equal(set(engine, id, alice).kind, "ok");
});

Deno.test("an assignment that rests on the disk only is still its owner's alone", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = assigned(get(engine, alice));
  engine.advance(LEASE_MS + 3_600_000);
  for (const other of OTHERS) {
    refused(beat(engine, id, other), "invalid-assignment-id");
  }
  assert.equal(set(engine, id, alice).kind, "ok");
});

Deno.test("a mere reader does not end the work of somebody whose lease is over", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = assigned(get(engine, alice));
  engine.advance(LEASE_MS + 1);
  const reader = { by: "reader", reads: true };
  for (const api of ["local", "remote", "stream"] as const) {
    assert.equal(get(engine, reader, api, false).kind, "unassigned");
  }
  assert.equal(engine.rows.get(ENTRY.name)?.id, id);
  assert.equal(set(engine, id, alice).kind, "ok");
});

Deno.test("a handle is its owner's alone, also when it has expired", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = assigned(get(engine, alice));
  set(engine, id, alice);
  const handle = get(engine, alice, "local");
  assert.ok(handle.kind === "handle");
  const drop = (who: object) =>
    settled(engine, engine.ask({ kind: "drop", id: handle.id, ...who }));
  for (const other of OTHERS) refused(drop(other), "invalid-handle-id");
  engine.advance(100_001);
  for (const other of OTHERS) refused(drop(other), "invalid-handle-id");
  assert.equal(drop(alice).kind, "ok");
});
