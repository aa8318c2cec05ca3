/**
 * Stories of Gets that wait, of work that is given back, and of values that are
 * offered whole.
 */

import assert from "node:assert/strict";
import { LarderError } from "../errors.ts";
import { LOOK_COUNTS_MS, MAX_WAITERS_PER_ENTRY } from "../limits.ts";
import { entryKey, FakeEngine, type Figures } from "./testing/fake_engine.ts";
import { unhex } from "./testing/fake_stores.ts";
import { StateTable } from "./state_table.ts";
import { assigned, deliver, refused, settled } from "./testing/stories.ts";
import type { Api, Assignment, Effect, Id, Reply, Ticket } from "./types.ts";

const LEASE_MS = 4_000;
const ENTRY = entryKey("ns", "k");

const FIGURES: Figures = {
  leaseTimeoutMs: LEASE_MS,
  restartGraceMs: 60_000,
  handleLeaseMs: 100_000,
  maxValueBytes: 8,
  streamBytes: 4,
  uncountedBytes: 0,
  maxAssignments: 10,
  maxHandles: 10,
  maxResting: 10,
  maxComputeMs: Infinity,
  quotas: [],
};

Deno.test("who waits is told who computes, and gets the value when it is published", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = taken(engine, get(engine));
  engine.advance(1_000);
  const tickets = [1, 2, 3].map(() => get(engine));
  engine.settle();
  engine.advance(LEASE_MS - 1_001);
  for (const ticket of tickets) assert.equal(engine.notices.get(ticket), 1);
  engine.ask({ kind: "set", id, value: unhex("01") });
  engine.settle();
  const digest = { size: 1, sha256: "01" };
  for (const ticket of tickets) {
    assert.deepEqual(engine.replies.get(ticket), {
      kind: "value",
      value: unhex("01"),
      digest,
      times: { computedMs: LEASE_MS - 1 },
    });
    assert.equal(engine.notices.get(ticket), 1, "the holder was the same");
  }
});

Deno.test("a large value is streamed from a handle, of any size", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = taken(engine, get(engine));
  offer(engine, id, "010101010101010101");
  const reply = settled(engine, get(engine));
  assert.ok(reply.kind === "handle");
  assert.equal(reply.digest.size, 9);
});

/** A Get that waits for memory while its entry goes and somebody else takes the work. */
function outlived(engine: FakeEngine): { ticket: Ticket; id: Id } {
  const { id: first } = taken(engine, get(engine));
  offer(engine, first, "01");
  engine.memoryIsShort = true;
  const ticket = get(engine);
  engine.settle();
  assert.equal(engine.memory.get(ticket), 1);
  settled(engine, engine.ask({ kind: "evict", entry: ENTRY }));
  const { id } = taken(engine, get(engine));
  return { ticket, id };
}

Deno.test("who waits for work holds no memory meanwhile, and asks again for its value's", () => {
  const engine = new FakeEngine(FIGURES);
  const { ticket, id } = outlived(engine);
  engine.admit();
  assert.equal(engine.notices.get(ticket), 1);
  assert.equal(engine.memory.size, 0, "given back");
  offer(engine, id, "010101");
  assert.equal(engine.memory.get(ticket), 3);
  assert.equal(engine.replies.get(ticket), undefined, "not before it has it");
  engine.admit();
  engine.settle();
  const reply = engine.replies.get(ticket);
  assert.deepEqual(reply?.kind === "value" && reply.value, unhex("010101"));
});

Deno.test("memory for a smaller value than there is by now is asked for anew", () => {
  const engine = new FakeEngine(FIGURES);
  const { ticket, id } = outlived(engine);
  offer(engine, id, "010101");
  engine.admit();
  assert.equal(engine.memory.get(ticket), 3);
  engine.admit();
  engine.settle();
  assert.equal(engine.replies.get(ticket)?.kind, "value");
});

Deno.test("what is asked from the disk is read there, whatever its stamp says", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = taken(engine, get(engine));
  offer(engine, id, "0101");
  const fromDisk = () =>
    engine.ask({
      kind: "get",
      api: "stream",
      assign: false,
      entry: ENTRY,
      fromDisk: true,
    });
  const stamps = () =>
    engine.jobs.flatMap(({ effect }) =>
      effect.kind === "verify" ? [effect.stamp !== undefined] : []
    );
  assert.equal(settled(engine, fromDisk()).kind, "handle");
  engine.advance(LOOK_COUNTS_MS);
  // One comes while a verification is under way that reads nothing.
  const local = get(engine, { api: "local", assign: false });
  assert.deepEqual(stamps(), [true]);
  const second = fromDisk();
  deliver(engine, "verify");
  assert.equal(engine.replies.get(second), undefined);
  assert.deepEqual(stamps(), [false]);
  for (const ticket of [local, second]) {
    assert.equal(settled(engine, ticket).kind, "handle");
  }
});

Deno.test("when the lease ends exactly one of those who wait gets the work, unasked", () => {
  const engine = new FakeEngine(FIGURES);
  taken(engine, get(engine));
  const tickets = [1, 2, 3].map(() => get(engine));
  for (let round = 1; round <= 3; round++) {
    engine.advance(LEASE_MS);
    engine.settle();
    const kinds = tickets.map((ticket) => engine.replies.get(ticket)?.kind);
    assert.equal(kinds.filter((kind) => kind === "assigned").length, round);
    assert.equal(kinds.filter((kind) => kind === undefined).length, 3 - round);
  }
  assert.equal(engine.notices.get(tickets[2]!), 3, "one for each holder");
});

Deno.test("a heartbeat, or a file that grows, keeps those who wait waiting", () => {
  const engine = new FakeEngine(FIGURES);
  const { id, staging } = taken(engine, get(engine, { api: "local" }));
  const waiting = get(engine);
  for (let beat = 0; beat < 5; beat++) {
    engine.advance(LEASE_MS - 1);
    settled(engine, engine.ask({ kind: "heartbeat", id }));
  }
  assert.equal(engine.replies.get(waiting), undefined);
  engine.advance(LEASE_MS - 10);
  engine.write(staging!, "01");
  engine.advance(10);
  engine.settle();
  assert.equal(engine.replies.get(waiting), undefined);
  engine.advance(LEASE_MS);
  engine.settle();
  taken(engine, waiting);
});

/** Work may take 6 s. */
function tableOfShortWork(): StateTable {
  let ids = 0;
  return new StateTable({
    ...FIGURES,
    maxComputeMs: 6_000,
    servedBefore: false,
    startWallMs: 0,
    newId: () => String(++ids),
    newStaging: () => "s",
  }, 0);
}

/** Somebody has the work, of at most 6 s, and somebody waits for it. */
function overdueTable(): StateTable {
  const table = tableOfShortWork();
  table.step({ kind: "get", ticket: 1, ...ASKING, assign: true }, 0);
  const token = 1;
  const asked = { kind: "assigned" } as const;
  table.step({ kind: "asked", name: ENTRY.name, token, asked }, 0);
  table.step({ kind: "get", ticket: 2, ...ASKING, assign: true }, 0);
  table.step({ kind: "heartbeat", ticket: 3, id: "1" }, 3_999);
  return table;
}

const ASKING = { api: "stream", entry: ENTRY, patient: true } as const;

Deno.test("work that takes longer than it may goes to one who waits, heartbeats or not", () => {
  const table = overdueTable();
  assert.deepEqual(kinds(table.step({ kind: "tick" }, 5_999)), []);
  assert.equal(table.nextDeadlineMs(), 6_000);
  const effects = table.step({ kind: "tick" }, 6_000);
  assert.deepEqual(kinds(effects), ["superseded", "reassign"]);
});

Deno.test("what a start found is given away when it takes too long, though a first try failed", () => {
  const table = tableOfShortWork();
  const row = {
    ...ENTRY,
    status: "loading",
    id: "0",
    graceEndsMs: 60_000,
  } as const;
  table.step({ kind: "restore", row, captured: false }, 100);
  const ask = (ticket: number) =>
    table.step({ kind: "get", ticket, ...ASKING, assign: true }, 7_000);
  assert.deepEqual(kinds(ask(1)), ["superseded", "reassign"]);
  // The manifest takes nothing now, and what is in memory of it is forgotten.
  const error = new LarderError("overloaded", "a burst");
  const failed = { kind: "failed", error } as const;
  const { name } = ENTRY;
  table.step({ kind: "asked", name, token: 1, asked: failed }, 7_000);
  assert.deepEqual(kinds(ask(2)), ["claim"]);
  const found = { kind: "row", row } as const;
  assert.deepEqual(
    kinds(table.step({ kind: "asked", name, token: 2, asked: found }, 7_000)),
    ["superseded", "reassign"],
  );
});

Deno.test("who only looks, again and again, keeps overdue work from nobody who waits for it", () => {
  const table = overdueTable();
  table.step({ kind: "tick" }, 5_999);
  // When it gets overdue, and before the timer.
  for (const ticket of [4, 5, 6]) {
    table.step({ kind: "get", ticket, ...ASKING, assign: false }, 6_000);
    table.step({ kind: "cancel", ticket }, 6_000);
  }
  assert.equal(table.nextDeadlineMs(), 6_000);
  const effects = table.step({ kind: "tick" }, 6_010);
  assert.deepEqual(kinds(effects), ["superseded", "reassign"]);
});

Deno.test("who only looks at work when it gets overdue does not wake the table at once", () => {
  const engine = new FakeEngine({ ...FIGURES, maxComputeMs: 6_000 });
  const { id } = taken(engine, get(engine));
  engine.advance(3_000);
  settled(engine, engine.ask({ kind: "heartbeat", id }));
  engine.advance(3_000);
  get(engine, { assign: false });
  assert.ok(engine.table.nextDeadlineMs()! > engine.nowMs);
});

Deno.test("a failed publish leaves those who wait waiting for the same holder", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = taken(engine, get(engine));
  const waiting = get(engine);
  engine.ask({ kind: "set", id, value: unhex("01") });
  deliver(engine, "put", "failed");
  engine.settle();
  assert.equal(engine.replies.get(waiting), undefined);
  assert.equal(engine.notices.get(waiting), 1);
  engine.advance(LEASE_MS);
  engine.settle();
  taken(engine, waiting);
});

Deno.test("who waits stays during a drain, and has what is published in it", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = taken(engine, get(engine));
  const waiting = [get(engine)];
  engine.drain();
  waiting.push(get(engine));
  engine.settle();
  for (const ticket of waiting) {
    assert.equal(engine.replies.get(ticket), undefined);
  }
  engine.ask({ kind: "set", id, value: new Uint8Array(1) });
  engine.settle();
  for (const ticket of waiting) {
    assert.match(engine.replies.get(ticket)!.kind, /value|handle/);
  }
});

Deno.test("whoever waits for one whose lease ends in a drain is not sent to compute", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = taken(engine, get(engine));
  const waiting = [get(engine), get(engine)];
  engine.drain();
  engine.advance(LEASE_MS);
  waiting.push(get(engine));
  engine.settle();
  // Nothing is left to wait for: no timer spins.
  assert.equal(engine.table.state.awaitedDueMs, Infinity);
  for (const ticket of waiting) {
    assert.equal(engine.replies.get(ticket), undefined);
    assert.equal(engine.notices.get(ticket), 1);
  }
  // The id is not void: its holder is late, but comes.
  engine.ask({ kind: "set", id, value: new Uint8Array(1) });
  engine.settle();
  for (const ticket of waiting) {
    assert.match(engine.replies.get(ticket)!.kind, /value|handle/);
  }
});

Deno.test("a lease that is renewed in a drain after its end is waited for again", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = taken(engine, get(engine));
  const waiting = get(engine);
  engine.drain();
  engine.advance(LEASE_MS);
  settled(engine, engine.ask({ kind: "heartbeat", id }));
  assert.equal(engine.table.isBusy(engine.nowMs), true);
  engine.advance(LEASE_MS);
  engine.settle();
  assert.equal(engine.replies.get(waiting), undefined);
});

Deno.test("work that is given back in a drain, or that nobody has, is the next process's", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = taken(engine, get(engine));
  const waiting = [get(engine)];
  engine.drain();
  assert.deepEqual(abandon(engine, id), { kind: "ok" });
  waiting.push(get(engine));
  engine.settle();
  for (const ticket of waiting) {
    assert.equal(engine.replies.get(ticket), undefined);
    assert.equal(engine.notices.get(ticket), 1);
  }
  assert.equal(engine.table.counts(engine.nowMs).waiting, 2);
  const gone = get(engine);
  engine.settle();
  engine.cancel(gone);
  assert.equal(engine.table.counts(engine.nowMs).waiting, 2);
  engine.leave();
  waiting.push(get(engine));
  engine.settle();
  for (const ticket of waiting) {
    const reply = engine.replies.get(ticket)!;
    assert(reply.kind === "error" && reply.error.code === "stopping");
  }
  assert.equal(engine.table.counts(engine.nowMs).waiting, 0);
});

Deno.test("what was being assigned as a drain began is not kept for whoever never heard of it", () => {
  const engine = new FakeEngine(FIGURES);
  const asking = get(engine);
  engine.drain();
  engine.settle();
  assert.equal(engine.replies.get(asking), undefined);
  assert.equal(engine.rows.size, 0, "the next process would wait for it");
});

Deno.test("the end of a drain ends all waiting", () => {
  const engine = new FakeEngine(FIGURES);
  taken(engine, get(engine));
  const waiting = [get(engine), get(engine, { assign: false })];
  engine.leave();
  waiting.push(get(engine));
  for (const ticket of waiting) {
    const reply = engine.replies.get(ticket)!;
    assert(reply.kind === "error" && reply.error.code === "stopping");
  }
});

Deno.test("who has gone takes nothing, and is not remembered", () => {
  const engine = new FakeEngine(FIGURES);
  taken(engine, get(engine));
  const [gone, staying] = [get(engine), get(engine)];
  engine.cancel(gone);
  assert.equal(engine.table.counts(engine.nowMs).waiting, 1);
  engine.advance(LEASE_MS);
  engine.settle();
  taken(engine, staying);
  engine.cancel(staying);
  assert.equal(engine.table.counts(engine.nowMs).waiting, 0);
  assert.equal(engine.table.state.awaited.size, 0);
});

Deno.test("who wants an entry away is never told Loading, however many wait", () => {
  const table = tableOfShortWork();
  const get = {
    kind: "get",
    api: "local",
    entry: ENTRY,
    assign: true,
  } as const;
  const ask = (ticket: Ticket) => table.step({ ...get, ticket }, LEASE_MS);
  table.step({ ...get, ticket: 0 }, 0);
  const asked = { kind: "assigned" } as const;
  table.step({ kind: "asked", name: ENTRY.name, token: 1, asked }, 0);
  // They wait until it is known when the holder's file has changed.
  for (let at = 1; at <= MAX_WAITERS_PER_ENTRY; at++) ask(at);
  const ticket = MAX_WAITERS_PER_ENTRY + 1;
  const [refused] = table.step(
    { kind: "evict", ticket, entry: ENTRY },
    LEASE_MS,
  );
  assert.ok(refused?.kind === "reply" && refused.reply.kind === "error");
  assert.equal(refused.reply.error.code, "overloaded");
});

Deno.test("no more wait for one entry than may", () => {
  let ids = 0;
  const table = new StateTable({
    ...FIGURES,
    servedBefore: false,
    startWallMs: 0,
    newId: () => String(++ids),
    newStaging: () => "s",
  }, 0);
  const ask = (ticket: Ticket, entry = ENTRY) =>
    table.step({
      kind: "get",
      ticket,
      api: "stream",
      entry,
      assign: true,
      patient: true,
    }, 0);
  ask(0);
  const asked = { kind: "assigned" } as const;
  table.step({ kind: "asked", name: ENTRY.name, token: 1, asked }, 0);
  for (let at = 1; at <= MAX_WAITERS_PER_ENTRY; at++) ask(at);
  assert.equal(table.counts(0).waiting, MAX_WAITERS_PER_ENTRY);
  const [refused] = ask(MAX_WAITERS_PER_ENTRY + 1);
  assert.ok(refused?.kind === "reply" && refused.reply.kind === "error");
  assert.equal(refused.reply.error.code, "overloaded");
  table.step({ kind: "cancel", ticket: 1 }, 0);
  assert.deepEqual(kinds(ask(MAX_WAITERS_PER_ENTRY + 2)), ["notice"]);
});

// --- Abandon -----------------------------------------------------------------

Deno.test("abandoned work goes to the first who waits for work, its file away", () => {
  const engine = new FakeEngine(FIGURES);
  const { id, staging } = taken(engine, get(engine, { api: "local" }));
  engine.write(staging!, "01");
  const looking = get(engine, { assign: false });
  const waiting = get(engine);
  assert.deepEqual(abandon(engine, id), { kind: "ok" });
  taken(engine, waiting);
  assert.equal(engine.replies.get(looking), undefined);
  assert.equal(engine.notices.get(looking), 2);
  assert.equal(engine.stores.staged.has(staging!), false);
  refused(abandon(engine, id), "invalid-assignment-id");
});

Deno.test("abandoned work that nobody wants is gone, and can be asked for at once", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = taken(engine, get(engine));
  abandon(engine, id);
  assert.equal(engine.rows.size, 0);
  taken(engine, get(engine));
});

Deno.test("the file of work that is given back goes, also where the manifest takes no writes", () => {
  const engine = new FakeEngine(FIGURES);
  const { id, staging } = taken(engine, get(engine, { api: "local" }));
  engine.write(staging!, "01");
  const ticket = engine.ask({ kind: "abandon", id });
  deliver(engine, "abandon", "failed");
  engine.settle();
  refused(engine.replies.get(ticket), "manifest-failed");
  // It may be what has filled the disk.
  assert.equal(engine.stores.staged.has(staging!), false);
});

Deno.test("work that could not be given back is still its holder's", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = taken(engine, get(engine));
  const ticket = engine.ask({ kind: "abandon", id });
  deliver(engine, "abandon", "failed");
  refused(engine.replies.get(ticket), "manifest-failed");
  assert.equal(offer(engine, id, "01").kind, "published");
});

Deno.test("who has published, or is about to, has nothing to give back", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = taken(engine, get(engine));
  const publishing = engine.offer(id, "01");
  const during = engine.ask({ kind: "abandon", id });
  assert.deepEqual(engine.replies.get(during), { kind: "ok" });
  assert.equal(settled(engine, publishing).kind, "published");
  assert.deepEqual(abandon(engine, id), { kind: "ok" });
  assert.equal(settled(engine, get(engine)).kind, "value");
});

// --- Offers --------------------------------------------------------------------

Deno.test("an offer is answered with what was published, also the second time", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = taken(engine, get(engine));
  const digest = { size: 2, sha256: "0101" };
  const [one, two] = [engine.offer(id, "0101"), engine.offer(id, "02")];
  const published = { kind: "published", digest };
  assert.deepEqual(settled(engine, one), published);
  assert.deepEqual(settled(engine, two), published);
  assert.deepEqual(offer(engine, id, "03"), published);
  engine.restart();
  assert.deepEqual(offer(engine, id, "04"), published);
  assert.equal(engine.stores.captured.size, 0, "uploads are discarded");
});

for (const kind of ["install", "persist"] as const) {
  for (const fault of ["failed", "silent"] as const) {
    // What is Ready has been published, whatever was told of it.
    if (kind === "persist" && fault === "silent") continue;
    Deno.test(`an offer whose ${kind} is ${fault} leaves the work with its client`, () => {
      const engine = new FakeEngine(FIGURES);
      const { id } = taken(engine, get(engine));
      const ticket = engine.offer(id, "01");
      deliver(engine, kind, fault);
      refused(engine.replies.get(ticket), "storage-failed");
      assert.equal(offer(engine, id, "0202").kind, "published");
      const reply = settled(engine, get(engine));
      assert.ok(reply.kind === "value");
      assert.deepEqual(reply.value, unhex("0202"));
    });
  }
}

Deno.test("an offer for which there is no room is refused before it is installed", () => {
  const table = new StateTable({
    ...FIGURES,
    quotas: [{ pattern: "*", maxBytes: 4 }],
    servedBefore: false,
    startWallMs: 0,
    newId: () => "1",
    newStaging: () => "s",
  }, 0);
  const get = {
    kind: "get",
    api: "stream",
    entry: ENTRY,
    assign: true,
  } as const;
  table.step({ ...get, ticket: 1 }, 0);
  const asked = { kind: "assigned" } as const;
  table.step({ kind: "asked", name: ENTRY.name, token: 1, asked }, 0);
  const digest = { size: 5, sha256: "0505050505" };
  const offer = { kind: "offer", id: "1", upload: "u", digest } as const;
  const [reply, ...more] = table.step({ ...offer, ticket: 2 }, 0);
  assert.ok(reply?.kind === "reply" && reply.reply.kind === "error");
  assert.equal(reply.reply.error.code, "storage-full");
  assert.deepEqual(kinds(more), []);
});

Deno.test("a Done that waits patiently is answered when the value is published", () => {
  const engine = new FakeEngine(FIGURES);
  const { id, staging } = taken(engine, get(engine, { api: "local" }));
  engine.write(staging!, "010203040506");
  const ticket = engine.ask({ kind: "done", id, patient: true });
  deliver(engine, "capture");
  engine.advance(600);
  assert.equal(engine.replies.get(ticket), undefined);
  const digest = { size: 6, sha256: "010203040506" };
  const published = { kind: "published", digest };
  assert.deepEqual(settled(engine, ticket), published);
});

Deno.test("what is not there is not taken away", () => {
  const engine = new FakeEngine(FIGURES);
  const evict = () => engine.ask({ kind: "evict", entry: ENTRY });
  assert.equal(settled(engine, evict()).kind, "absent");
  const { id } = taken(engine, get(engine));
  offer(engine, id, "01");
  assert.equal(settled(engine, evict()).kind, "ok");
  assert.equal(settled(engine, evict()).kind, "absent");
});

// --- What the stories are told with --------------------------------------------

function get(
  engine: FakeEngine,
  { api = "stream", assign = true }: { api?: Api; assign?: boolean } = {},
): Ticket {
  return engine.ask({ kind: "get", api, assign, entry: ENTRY, patient: true });
}

function offer(engine: FakeEngine, id: Id, bytes: string): Reply {
  return settled(engine, engine.offer(id, bytes));
}

function abandon(engine: FakeEngine, id: Id): Reply {
  return settled(engine, engine.ask({ kind: "abandon", id }));
}

function taken(engine: FakeEngine, ticket: Ticket): Assignment {
  return assigned(settled(engine, ticket));
}

function kinds(effects: readonly Effect[]): string[] {
  return effects.map(({ kind }) => kind);
}
