/** Whoever has as much as they may gets no more, and the others do. */

import assert from "node:assert/strict";
import { entryKey, FakeEngine, type Figures } from "./testing/fake_engine.ts";
import { unhex } from "./testing/fake_stores.ts";
import { assigned, settled } from "./testing/stories.ts";
import type { Api, Id } from "./types.ts";

const LEASE_MS = 4_000;
const HANDLE_LEASE_MS = 100_000;
const FIGURES: Figures = {
  leaseTimeoutMs: LEASE_MS,
  restartGraceMs: 60_000,
  handleLeaseMs: HANDLE_LEASE_MS,
  maxValueBytes: 8,
  uncountedBytes: 0,
  maxAssignments: 100,
  maxHandles: 100,
  maxResting: 10,
  maxComputeMs: Infinity,
  quotas: [],
};

/** A caller of that name, who may have so much. */
function caller(by: string | undefined, most: Record<string, number>) {
  const over = (what: string, held: number) =>
    held < (most[what] ?? Infinity) ? undefined : `${what}: has ${held}`;
  return { ...by !== undefined && { by }, over };
}

const alice = caller("alice", { assignments: 2, handles: 2 });
const bob = caller("bob", { assignments: 2 });

function ask(
  engine: FakeEngine,
  who: object,
  key: string,
  { api = "remote", assign = true }: { api?: Api; assign?: boolean } = {},
) {
  const entry = entryKey("ns", key);
  return engine.ask({ kind: "get", entry, api, assign, ...who });
}

const get = (...args: Parameters<typeof ask>) => settled(args[0], ask(...args));
const byId = (
  engine: FakeEngine,
  kind: "abandon" | "drop" | "heartbeat",
  id: Id,
  who: object,
) => settled(engine, engine.ask({ kind, id, ...who }));
const set = (engine: FakeEngine, id: Id, who: object) =>
  settled(engine, engine.ask({ kind: "set", id, value: unhex("01"), ...who }));

const OVER = {
  kind: "unassigned",
  reason: "caller-assignments",
  detail: "assignments: has 2",
};

Deno.test("who has as much work as they may gets no more, and others do", () => {
  const engine = new FakeEngine(FIGURES);
  const first = assigned(get(engine, alice, "a"));
  assigned(get(engine, alice, "b"));
  assert.deepEqual(get(engine, alice, "c"), OVER);
  assert.deepEqual(get(engine, alice, "c", { api: "local" }), OVER);
  // What there is, is there for all.
  assert.equal(get(engine, alice, "a").kind, "loading");
  assigned(get(engine, bob, "c"));
  set(engine, first.id, alice);
  assert.equal(get(engine, alice, "a").kind, "value");
  assigned(get(engine, alice, "d"));
  assert.deepEqual(get(engine, alice, "e"), OVER);
});

Deno.test("what was given back, or whose lease is over, counts no more", () => {
  const engine = new FakeEngine(FIGURES);
  const first = assigned(get(engine, alice, "a"));
  const second = assigned(get(engine, alice, "b"));
  byId(engine, "abandon", first.id, alice);
  assigned(get(engine, alice, "c"));
  assert.deepEqual(get(engine, alice, "d"), OVER);
  engine.advance(LEASE_MS / 2);
  byId(engine, "heartbeat", second.id, alice);
  engine.advance(LEASE_MS / 2 + 1);
  assigned(get(engine, alice, "d"));
  assert.deepEqual(get(engine, alice, "e"), OVER);
  engine.advance(2 * LEASE_MS);
  // Its holder may still take it up: then it counts again.
  byId(engine, "heartbeat", second.id, alice);
  assigned(get(engine, alice, "e"));
  assert.deepEqual(get(engine, alice, "f"), OVER);
});

Deno.test("work counts as its owner's after a restart, too", () => {
  const engine = new FakeEngine(FIGURES);
  assigned(get(engine, alice, "a"));
  assigned(get(engine, alice, "b"));
  engine.restart();
  assert.deepEqual(get(engine, alice, "c"), OVER);
  assigned(get(engine, bob, "c"));
});

Deno.test("a claim that fails counts no more", () => {
  const engine = new FakeEngine(FIGURES);
  assigned(get(engine, alice, "a"));
  const ticket = ask(engine, alice, "b");
  assert.deepEqual(get(engine, alice, "c"), OVER);
  assert.equal(engine.replies.get(ticket)?.kind, "assigned");
});

Deno.test("of those who wait for work, the first who may have it gets it", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = assigned(get(engine, bob, "k"));
  const patient = (who: object) => ask(engine, { ...who, patient: true }, "k");
  const waiting = [patient(alice), patient(bob)];
  assigned(get(engine, alice, "a"));
  assigned(get(engine, alice, "b"));
  byId(engine, "abandon", id, bob);
  const replies = waiting.map((ticket) => engine.replies.get(ticket));
  assert.deepEqual(replies.map((reply) => reply?.kind), [
    undefined,
    "assigned",
  ]);
  assigned(replies[1]);
  // And whoever may not is told so when nobody else wants it.
  byId(engine, "abandon", engine.assignments.at(-1)!.id, bob);
  assert.deepEqual(engine.replies.get(waiting[0]!), OVER);
});

Deno.test("who may have no more work takes none over, and ends nobody's", () => {
  const engine = new FakeEngine({ ...FIGURES, maxComputeMs: 10 * LEASE_MS });
  const { id } = assigned(get(engine, bob, "k"));
  engine.advance(LEASE_MS + 1);
  assigned(get(engine, alice, "a"));
  assigned(get(engine, alice, "b"));
  assert.deepEqual(get(engine, alice, "k"), OVER);
  assert.equal(byId(engine, "heartbeat", id, bob).kind, "ok");
  const unlimited = caller("alice", {});
  assert.equal(get(engine, unlimited, "k").kind, "loading");
});

Deno.test("callers without a name count together", () => {
  const engine = new FakeEngine(FIGURES);
  const anyone = caller(undefined, { assignments: 2, handles: 1 });
  assigned(get(engine, alice, "a"));
  const { id } = assigned(get(engine, anyone, "b"));
  assigned(get(engine, {}, "c"));
  assert.deepEqual(get(engine, anyone, "d"), OVER);
  set(engine, id, {});
  const handle = get(engine, anyone, "b", { api: "local" });
  assert.ok(handle.kind === "handle");
  assert.equal(
    get(engine, anyone, "b", { api: "local" }).kind,
    "unassigned",
  );
  assert.equal(get(engine, alice, "b", { api: "local" }).kind, "handle");
  byId(engine, "drop", handle.id, {});
  assert.equal(get(engine, anyone, "b", { api: "local" }).kind, "handle");
});

Deno.test("who has as many files in hand as they may gets no more until one is dropped, or its lease ends", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = assigned(get(engine, bob, "k"));
  set(engine, id, bob);
  const file = (who: object) => get(engine, who, "k", { api: "local" });
  const first = file(alice);
  assert.ok(first.kind === "handle");
  assert.equal(file(alice).kind, "handle");
  const over = { reason: "caller-handles", detail: "handles: has 2" };
  assert.deepEqual(file(alice), { kind: "unassigned", ...over });
  assert.equal(file(bob).kind, "handle");
  // Bytes are no file.
  assert.equal(get(engine, alice, "k").kind, "value");
  byId(engine, "drop", first.id, alice);
  assert.equal(file(alice).kind, "handle");
  assert.equal(file(alice).kind, "unassigned");
  engine.advance(HANDLE_LEASE_MS + 1);
  assert.equal(file(alice).kind, "handle");
});
