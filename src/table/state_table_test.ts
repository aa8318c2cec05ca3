/** The rules of the contract, a story each; `FakeEngine` plays the engine. */

import assert from "node:assert/strict";
import { LarderError } from "../errors.ts";
import {
  LOOK_COUNTS_MS,
  MAX_REPLY_WAIT_MS,
  MAX_WAITERS_PER_ENTRY,
} from "../limits.ts";
import { entryKey, FakeEngine, type Figures } from "./testing/fake_engine.ts";
import { unhex } from "./testing/fake_stores.ts";
import { StateTable } from "./state_table.ts";
import {
  assigned,
  deliver,
  refused,
  settled,
  until,
} from "./testing/stories.ts";
import type {
  Api,
  Assignment,
  Effect,
  Id,
  Reply,
  Row,
  Ticket,
} from "./types.ts";

const LEASE_MS = 4_000;
const GRACE_MS = 60_000;
const HANDLE_LEASE_MS = 100_000;
const ENTRY = entryKey("ns", "k");
const APIS: readonly Api[] = ["local", "remote"];
/** A Get is told that the cache cannot keep what it is for. */
const NOT_KEPT: Reply = { kind: "unassigned", reason: "failed" };

const FIGURES: Figures = {
  leaseTimeoutMs: LEASE_MS,
  restartGraceMs: GRACE_MS,
  handleLeaseMs: HANDLE_LEASE_MS,
  maxValueBytes: 8,
  uncountedBytes: 0,
  maxAssignments: 2,
  maxHandles: 2,
  maxResting: 10,
  maxComputeMs: Infinity,
  quotas: [],
};

// --- Get, a row of the table each -------------------------------------------

for (const api of APIS) {
  Deno.test(`${api} Get of an absent entry is assigned when it asks for work`, () => {
    const engine = new FakeEngine(FIGURES);
    const { id, staging } = assigned(get(engine, { api }));
    assert.equal(engine.rows.get(ENTRY.name)?.id, id);
    assert.equal(staging !== undefined, api === "local");
  });

  Deno.test(`${api} Get of an absent entry is Unassigned when it asks for none`, () => {
    const engine = new FakeEngine(FIGURES);
    assert.deepEqual(get(engine, { api, assign: false }), {
      kind: "unassigned",
    });
    assert.equal(engine.rows.size, 0);
  });

  Deno.test(`${api} Get of work that is under way is Loading`, () => {
    const engine = new FakeEngine(FIGURES);
    get(engine);
    assert.equal(get(engine, { api }).kind, "loading");
    assert.equal(get(engine, { api, assign: false }).kind, "loading");
  });

  Deno.test(`${api} Get takes expired work over, and the old id is void`, () => {
    const engine = new FakeEngine(FIGURES);
    const old = assigned(get(engine, { api: "remote" }));
    engine.advance(LEASE_MS + 1);
    const next = assigned(get(engine, { api }));
    assert.notEqual(next.id, old.id);
    refused(set(engine, old.id, "01"), "invalid-assignment-id");
    refused(heartbeat(engine, old.id), "invalid-assignment-id");
    refused(done(engine, old.id), "invalid-assignment-id");
  });

  Deno.test(`${api} Get without assign removes expired work`, () => {
    const engine = new FakeEngine(FIGURES);
    const { id } = assigned(get(engine));
    engine.advance(LEASE_MS + 1);
    const reply = get(engine, { api, assign: false });
    assert.equal(reply.kind, "unassigned");
    assert.equal(engine.rows.size, 0);
    refused(set(engine, id, "01"), "invalid-assignment-id");
  });

  Deno.test(`${api} Get is Loading while a value is being published`, () => {
    const engine = new FakeEngine(FIGURES);
    const { id } = assigned(get(engine));
    engine.ask({ kind: "set", id, value: unhex("01") });
    for (const assign of [true, false]) {
      const ticket = engine.ask({ kind: "get", entry: ENTRY, api, assign });
      assert.equal(engine.replies.get(ticket)?.kind, "loading");
    }
  });

  Deno.test(`${api} Get is Unassigned while the entry is evicted, and nothing is accepted`, () => {
    const engine = new FakeEngine(FIGURES);
    const { id } = publish(engine, "01");
    engine.ask({ kind: "evict", entry: ENTRY });
    for (const assign of [true, false]) {
      const ticket = engine.ask({ kind: "get", entry: ENTRY, api, assign });
      assert.equal(engine.replies.get(ticket)?.kind, "unassigned");
    }
    engine.settle();
    refused(set(engine, id, "02"), "invalid-assignment-id");
    assert.equal(get(engine, { api }).kind, "assigned");
  });
}

Deno.test("a value that could not be taken away is there, and counts, as before", () => {
  const engine = new FakeEngine(FIGURES);
  publish(engine, "01");
  const { used } = engine.table.state.room;
  const evicting = engine.ask({ kind: "evict", entry: ENTRY });
  deliver(engine, "evict", "failed");
  refused(engine.replies.get(evicting), "storage-failed");
  assert.deepEqual(engine.table.state.room.used, used);
  assert.equal(get(engine, { api: "local" }).kind, "handle");
});

Deno.test("what one service publishes, the other reads", () => {
  const engine = new FakeEngine(FIGURES);
  publish(engine, "0a");
  assert.deepEqual(get(engine, { api: "remote", assign: false }), value("0a"));
  assert.equal(get(engine, { api: "local" }).kind, "handle");

  const other = new FakeEngine(FIGURES);
  const { id } = publishFile(other, "0b");
  assert.deepEqual(get(other, { api: "remote" }), value("0b"));
  assert.equal(ok(done(other, id)), true);
});

Deno.test("only one of many who ask at once is assigned", () => {
  const engine = new FakeEngine(FIGURES);
  const tickets = [1, 2, 3].map(() => ask(engine, {}));
  engine.settle();
  const kinds = tickets.map((ticket) => engine.replies.get(ticket)?.kind);
  assert.deepEqual(kinds, ["assigned", "loading", "loading"]);
});

// --- Leases ------------------------------------------------------------------

Deno.test("a heartbeat renews the lease", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = assigned(get(engine));
  engine.advance(LEASE_MS - 1);
  ok(heartbeat(engine, id));
  engine.advance(LEASE_MS - 1);
  assert.equal(get(engine).kind, "loading");
});

Deno.test("a lease that ended belongs to its holder until someone asks", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = assigned(get(engine));
  // Long enough for it to rest on disk only.
  engine.advance(LEASE_MS + 61_000);
  assert.equal(engine.table.counts(engine.nowMs).loading, 0);
  ok(heartbeat(engine, id));
  assert.equal(get(engine).kind, "loading");
  engine.advance(LEASE_MS + 61_000);
  ok(set(engine, id, "01"));
});

Deno.test("a staging file that changed within the lease counts as a heartbeat", () => {
  const engine = new FakeEngine(FIGURES);
  const { staging } = localAssignment(engine);
  engine.advance(LEASE_MS - 100);
  engine.write(staging, "01");
  engine.advance(200);
  assert.equal(get(engine).kind, "loading");
  engine.advance(LEASE_MS);
  assert.equal(get(engine).kind, "assigned");
  assert.equal(engine.stores.staged.has(staging), false);
});

Deno.test("a Get whose caller has gone takes nothing", () => {
  const engine = new FakeEngine(FIGURES);
  engine.cancel(ask(engine, {}));
  engine.settle();
  assert.equal(engine.assignments.length, 0);
  assert.equal(get(engine).kind, "assigned");
});

Deno.test("a Get that waits inherits from one whose caller has gone", () => {
  const engine = new FakeEngine(FIGURES);
  const first = ask(engine, {});
  const second = ask(engine, {});
  engine.cancel(first);
  engine.settle();
  assert.equal(engine.replies.get(second)?.kind, "assigned");
});

Deno.test("a cancellation that comes after the reply takes nothing back", () => {
  const engine = new FakeEngine(FIGURES);
  const ticket = ask(engine, {});
  engine.settle();
  engine.cancel(ticket);
  ok(set(engine, assigned(engine.replies.get(ticket)).id, "01"));
});

Deno.test("a Get whose caller has gone does not take expired work from its holder", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = localAssignment(engine);
  engine.advance(LEASE_MS + 1);
  engine.cancel(ask(engine, {}));
  engine.settle();
  ok(heartbeat(engine, id));
});

Deno.test("a Get that was told Loading does not take expired work from its holder", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = localAssignment(engine);
  engine.advance(LEASE_MS + 1);
  const ticket = ask(engine, {});
  engine.advance(500);
  assert.equal(engine.replies.get(ticket)?.kind, "loading");
  engine.settle();
  ok(heartbeat(engine, id));
});

// --- Set and Done ------------------------------------------------------------

Deno.test("StateTable rejects a superseded assignment", () => {
  const engine = new FakeEngine(FIGURES);
  const old = localAssignment(engine);
  engine.write(old.staging, "01");
  engine.advance(LEASE_MS + 1);
  const next = assigned(get(engine, { api: "remote" }));
  engine.write(old.staging, "02");
  refused(done(engine, old.id), "invalid-assignment-id");
  ok(set(engine, next.id, "03"));
  refused(set(engine, old.id, "04"), "invalid-assignment-id");
  assert.deepEqual(get(engine, { api: "remote" }), value("03"));
});

Deno.test("ids that were never given out are refused", () => {
  const engine = new FakeEngine(FIGURES);
  refused(set(engine, "1", "01"), "invalid-assignment-id");
  refused(done(engine, "1"), "invalid-assignment-id");
  refused(heartbeat(engine, "1"), "invalid-assignment-id");
  refused(drop(engine, "1"), "invalid-handle-id");
});

Deno.test("a second Set joins the first, and changes nothing", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = assigned(get(engine));
  const first = engine.ask({ kind: "set", id, value: unhex("01") });
  const second = engine.ask({ kind: "set", id, value: unhex("02") });
  engine.settle();
  ok(engine.replies.get(first));
  ok(engine.replies.get(second));
  ok(set(engine, id, "03"));
  assert.deepEqual(get(engine, { api: "remote" }), value("01"));
});

Deno.test("a repeated Set, Done or Heartbeat is OK after a restart too, until the entry is evicted", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = publish(engine, "01");
  engine.restart();
  ok(set(engine, id, "02"));
  ok(done(engine, id));
  ok(heartbeat(engine, id));
  assert.deepEqual(get(engine, { api: "remote" }), value("01"));
  engine.advance(HANDLE_LEASE_MS);
  ok(evict(engine));
  refused(set(engine, id, "02"), "invalid-assignment-id");
});

Deno.test("an accepted Set finishes though its caller has gone", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = assigned(get(engine));
  engine.cancel(engine.ask({ kind: "set", id, value: unhex("01") }));
  engine.settle();
  assert.deepEqual(get(engine, { api: "remote" }), value("01"));
});

Deno.test("a publish that fails on our side leaves the work with the client, with a full lease", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = assigned(get(engine));
  engine.advance(LEASE_MS + 1);
  const ticket = engine.ask({ kind: "set", id, value: unhex("01") });
  deliver(engine, "put", "failed");
  refused(engine.replies.get(ticket), "storage-failed");
  engine.advance(LEASE_MS - 1);
  assert.equal(get(engine).kind, "loading");
  ok(set(engine, id, "01"));
});

Deno.test("Done without a regular file is refused, and the work stays with the client", () => {
  const engine = new FakeEngine(FIGURES);
  const { id, staging } = localAssignment(engine);
  refused(done(engine, id), "no-file");
  engine.write(staging, undefined);
  refused(done(engine, id), "no-file");
  engine.write(staging, "01");
  ok(done(engine, id));
});

Deno.test("Done of a remote assignment is refused: it has no path", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = assigned(get(engine, { api: "remote" }));
  refused(done(engine, id), "no-file");
  ok(set(engine, id, "01"));
});

Deno.test("Done is answered after 500 ms once the file is captured", () => {
  const engine = new FakeEngine(FIGURES);
  const { id, staging } = localAssignment(engine);
  engine.write(staging, "0102030405");
  const ticket = engine.ask({ kind: "done", id });
  deliver(engine, "capture");
  engine.advance(499);
  assert.equal(engine.replies.has(ticket), false);
  engine.advance(1);
  ok(engine.replies.get(ticket));
  engine.settle();
  assert.deepEqual(get(engine, { api: "remote" }), value("0102030405"));
  assert.equal(get(engine).kind, "handle");
});

Deno.test("Done is not answered before the file is captured, however long that takes", () => {
  const engine = new FakeEngine(FIGURES);
  const { id, staging } = localAssignment(engine);
  engine.write(staging, "0102030405");
  const ticket = engine.ask({ kind: "done", id });
  engine.advance(2_000);
  assert.equal(engine.replies.has(ticket), false);
  deliver(engine, "capture");
  ok(engine.replies.get(ticket));
});

for (const step of ["hash", "record", "install", "persist"] as const) {
  Deno.test(`an acknowledged Done is published after a failed ${step}`, () => {
    const engine = new FakeEngine(FIGURES);
    acknowledge(engine);
    deliver(engine, step, "failed");
    engine.advance(LEASE_MS + 1);
    assert.equal(get(engine).kind, "loading");
    assert.deepEqual(get(engine, { api: "remote" }), value("0102030405"));
  });

  Deno.test(`nobody waits for an acknowledged Done whose ${step} fails again`, () => {
    const engine = new FakeEngine(FIGURES);
    acknowledge(engine);
    const patient = ask(engine, { patient: true });
    deliver(engine, step, "failed");
    // That may have been a worker that died.
    assert.equal(get(engine).kind, "loading");
    engine.advance(LEASE_MS + 1);
    assert.equal(engine.replies.get(patient), undefined);
    for (let tries = 0; tries < 3; tries++) {
      const due = ask(engine);
      deliver(engine, step, "failed");
      const told: Reply = tries === 0 ? { kind: "loading" } : NOT_KEPT;
      assert.deepEqual(engine.replies.get(due), told);
      assert.deepEqual(engine.replies.get(patient), NOT_KEPT);
      assert.deepEqual(get(engine), NOT_KEPT);
      engine.advance(LEASE_MS + 1);
    }
    // A try that takes long keeps nobody waiting, however patient.
    const asked = [false, true].map((patient) => ask(engine, { patient }));
    engine.advance(MAX_REPLY_WAIT_MS);
    for (const ticket of asked) {
      assert.deepEqual(engine.replies.get(ticket), NOT_KEPT);
    }
    engine.settle();
    assert.deepEqual(get(engine, { api: "remote" }), value("0102030405"));
  });

  Deno.test(`an acknowledged Done whose ${step} fails keeps no stop waiting, and stays`, () => {
    const engine = new FakeEngine(FIGURES);
    acknowledge(engine);
    deliver(engine, step, "failed");
    assert.equal(engine.table.isBusy(engine.nowMs), true);
    engine.advance(LEASE_MS + 1);
    ask(engine);
    deliver(engine, step, "failed");
    assert.equal(engine.table.isBusy(engine.nowMs), false);
    const removed = settled(
      engine,
      engine.ask({ kind: "evict", entry: ENTRY }),
    );
    refused(removed, "in-use");
    engine.finish();
    assert.equal(engine.rows.get(ENTRY.name)?.status, "ready");
  });

  Deno.test(`an acknowledged Done whose ${step} fails is not work that is nobody's`, () => {
    const engine = new FakeEngine(FIGURES);
    acknowledge(engine);
    deliver(engine, step, "failed");
    engine.settle();
    assert.equal(engine.table.hasExpired(engine.nowMs + LEASE_MS + 1), false);
    // What comes after it may be.
    const other = ask(engine, { entry: entryKey("ns", "other") });
    settled(engine, other);
    assert.equal(engine.table.hasExpired(engine.nowMs), false);
    assert.equal(engine.table.hasExpired(engine.nowMs + LEASE_MS + 1), true);
  });

  Deno.test(`an acknowledged Done is published after a failed ${step}, though nobody asks`, () => {
    const engine = new FakeEngine(FIGURES);
    acknowledge(engine);
    deliver(engine, step, "failed");
    engine.finish();
    assert.equal(engine.rows.get(ENTRY.name)?.status, "ready");
  });

  Deno.test(`an acknowledged Done is published after a kill before ${step}`, () => {
    const engine = new FakeEngine(FIGURES);
    acknowledge(engine);
    until(engine, step);
    engine.restart();
    engine.settle();
    assert.deepEqual(get(engine, { api: "remote" }), value("0102030405"));
  });

  Deno.test(`an acknowledged Done is kept when the client repeats it and ${step} fails again`, () => {
    const engine = new FakeEngine(FIGURES);
    const { id } = acknowledge(engine);
    deliver(engine, step, "failed");
    engine.ask({ kind: "done", id });
    deliver(engine, step, "failed");
    engine.finish();
    assert.equal(engine.rows.get(ENTRY.name)?.status, "ready");
  });
}

for (const step of ["hash", "record", "install", "persist"] as const) {
  Deno.test(`what is written after a Done was refused for a failed ${step} is what counts`, () => {
    const engine = new FakeEngine(FIGURES);
    const { id, staging } = refuse(engine, step);
    engine.write(staging, "07");
    ok(done(engine, id));
    assert.deepEqual(get(engine, { api: "remote" }), value("07"));
  });

  Deno.test(`a Done is repeated after a failed ${step} without writing anew`, () => {
    const engine = new FakeEngine(FIGURES);
    const { id } = refuse(engine, step);
    ok(done(engine, id));
    assert.deepEqual(get(engine, { api: "remote" }), value("0102030405"));
  });
}

for (const step of ["hash", "record", "install", "persist"] as const) {
  Deno.test(`what is no file and comes after a Done was refused for a failed ${step} is not answered with OK`, () => {
    const engine = new FakeEngine(FIGURES);
    const { id, staging } = refuse(engine, step);
    engine.write(staging, undefined);
    refused(done(engine, id), "no-file");
    refused(done(engine, id), "no-file");
    engine.write(staging, "07");
    ok(done(engine, id));
    assert.deepEqual(get(engine, { api: "remote" }), value("07"));
  });
}

Deno.test("a file that is written after a Done was answered never counts, though its install seemed to fail", () => {
  const engine = new FakeEngine(FIGURES);
  const { id, staging } = acknowledge(engine);
  engine.write(staging, "07");
  deliver(engine, "install", "silent");
  ok(done(engine, id));
  assert.deepEqual(get(engine, { api: "remote" }), value("0102030405"));
});

Deno.test("what a Done published that only seemed to fail stays, whatever is written then", () => {
  const engine = new FakeEngine(FIGURES);
  const { id, staging } = refuse(engine, "persist", "silent");
  engine.write(staging, "07");
  ok(done(engine, id));
  assert.deepEqual(get(engine, { api: "remote" }), value("0102030405"));
});

Deno.test("a Done after a refused one is not answered before its own file is captured", () => {
  const engine = new FakeEngine(FIGURES);
  const { id, staging } = refuse(engine, "record");
  engine.write(staging, "0504030201");
  const second = engine.ask({ kind: "done", id });
  engine.advance(MAX_REPLY_WAIT_MS);
  assert.equal(engine.replies.get(second), undefined);
  deliver(engine, "capture");
  ok(engine.replies.get(second));
  engine.settle();
  assert.deepEqual(get(engine, { api: "remote" }), value("0504030201"));
});

for (const step of ["hash", "record", "install", "persist"] as const) {
  Deno.test(`what is Set after a Done was refused for a failed ${step} is what counts`, () => {
    const engine = new FakeEngine(FIGURES);
    const { id, staging } = refuse(engine, step);
    ok(set(engine, id, "07"));
    assert.deepEqual(get(engine, { api: "remote" }), value("07"));
    assert.equal(engine.stores.captured.has(staging), false);
  });
}

for (const again of ["a refused Done", "a restart"]) {
  Deno.test(`an earlier capture is looked for after ${again}, and not at first`, () => {
    const engine = new FakeEngine(FIGURES);
    const { id, staging } = localAssignment(engine);
    const isFirst = () => {
      engine.write(staging, "0102030405");
      engine.ask({ kind: "done", id });
      until(engine, "capture");
      const job = engine.jobs.find(({ effect }) => effect.kind === "capture");
      return job?.effect.kind === "capture" && job.effect.first === true;
    };
    if (again === "a restart") {
      engine.restart();
    } else {
      assert.equal(isFirst(), true);
      deliver(engine, "capture", "failed");
      engine.settle();
    }
    assert.equal(isFirst(), false);
  });
}

Deno.test("an acknowledged Done that failed is not to be given back", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = acknowledge(engine);
  deliver(engine, "hash", "failed");
  ok(settled(engine, engine.ask({ kind: "abandon", id })));
  engine.finish();
  assert.equal(engine.rows.get(ENTRY.name)?.status, "ready");
});

Deno.test("what lies at its path is gone when a client has published with Set", () => {
  const engine = new FakeEngine(FIGURES);
  const { id, staging } = localAssignment(engine);
  engine.write(staging, "01");
  ok(set(engine, id, "02"));
  assert.equal(engine.stores.staged.has(staging), false);
});

Deno.test("what was installed before a kill is not lost when it cannot be read at first", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = acknowledge(engine);
  until(engine, "persist");
  engine.restart();
  const ticket = engine.ask({ kind: "done", id });
  deliver(engine, "verify", "failed");
  assert.equal(engine.replies.get(ticket)?.kind, "error");
  engine.advance(GRACE_MS);
  get(engine);
  assert.deepEqual(get(engine, { api: "remote" }), value("0102030405"));
});

for (const step of ["capture", "verify"] as const) {
  Deno.test(`a Done after a kill is not answered with OK before the ${step} that finds its file`, () => {
    const engine = new FakeEngine(FIGURES);
    const { id } = acknowledge(engine);
    until(engine, step === "capture" ? "record" : "persist");
    engine.restart();
    const ticket = engine.ask({ kind: "done", id });
    engine.advance(MAX_REPLY_WAIT_MS);
    assert.equal(engine.replies.get(ticket), undefined);
    deliver(engine, step);
    ok(engine.replies.get(ticket));
  });
}

Deno.test("what was installed before a kill and then spoilt can be written again", () => {
  const engine = new FakeEngine(FIGURES);
  const { id, staging } = acknowledge(engine);
  until(engine, "persist");
  engine.restart();
  engine.stores.blobs.delete(ENTRY.name);
  const ticket = engine.ask({ kind: "done", id });
  deliver(engine, "verify");
  assert.equal(engine.replies.get(ticket)?.kind, "error");
  engine.write(staging, "07");
  ok(done(engine, id));
  assert.deepEqual(get(engine, { api: "remote" }), value("07"));
});

Deno.test("a due Done that joins late is acknowledged for good", () => {
  const engine = new FakeEngine(FIGURES);
  const { id, staging } = localAssignment(engine);
  engine.write(staging, "0102030405");
  engine.advance(LEASE_MS + 61_000);
  const first = engine.ask({ kind: "done", id });
  engine.advance(500);
  deliver(engine, "find-id");
  deliver(engine, "capture");
  ok(engine.replies.get(first));
  deliver(engine, "hash", "failed");
  engine.finish();
  assert.equal(engine.rows.get(ENTRY.name)?.status, "ready");
});

// --- Reading -----------------------------------------------------------------

Deno.test("many callers for one cold value make one read", () => {
  const engine = new FakeEngine(FIGURES);
  publish(engine, "01");
  const tickets = [1, 2, 3].map(() => ask(engine, { api: "remote" }));
  assert.equal(engine.jobs.length, 1);
  engine.settle();
  for (const ticket of tickets) {
    assert.deepEqual(engine.replies.get(ticket), value("01"));
  }
});

Deno.test("a remote Get takes memory before its value is read", () => {
  const engine = new FakeEngine(FIGURES);
  publish(engine, "01");
  engine.memoryIsShort = true;
  const tickets = [1, 2].map(() => ask(engine, { api: "remote" }));
  assert.equal(engine.unadmitted.length, 2);
  assert.equal(engine.jobs.length, 0, "nothing is read meanwhile");
  engine.advance(500);
  assert.equal(engine.replies.get(tickets[0]!)?.kind, "loading");
  assert.equal(engine.replies.get(tickets[1]!)?.kind, "loading");
  engine.admit();
  assert.equal(engine.jobs.length, 0, "nobody waits any more");
  engine.memoryIsShort = false;
  assert.deepEqual(get(engine, { api: "remote" }), value("01"));
});

Deno.test("memory that comes too late for its entry goes to nobody", () => {
  const engine = new FakeEngine(FIGURES);
  publish(engine, "01");
  engine.memoryIsShort = true;
  const ticket = ask(engine, { api: "remote" });
  engine.ask({ kind: "evict", entry: ENTRY });
  deliver(engine, "evict");
  engine.admit();
  engine.settle();
  assert.equal(engine.replies.get(ticket)?.kind, "assigned");
});

for (const api of APIS) {
  Deno.test(`a ${api} Get that is still verifying after 500 ms is Loading, and the work goes on`, () => {
    const engine = new FakeEngine(FIGURES);
    publish(engine, "01");
    const ticket = ask(engine, { api });
    engine.advance(500);
    assert.equal(engine.replies.get(ticket)?.kind, "loading");
    engine.settle();
    assert.equal(engine.table.counts(engine.nowMs).handles, 0);
  });

  for (const missing of [true, false]) {
    const spoilt = missing ? "missing" : "damaged";
    Deno.test(`a ${api} Get of a ${spoilt} blob is a miss that can be assigned again`, () => {
      const engine = new FakeEngine(FIGURES);
      publish(engine, "01");
      engine.spoil(ENTRY.name, missing);
      assert.equal(get(engine, { api }).kind, "assigned");
    });
  }

  Deno.test(`a ${api} Get of a blob that cannot be read now is Unassigned, and the entry stays`, () => {
    const engine = new FakeEngine(FIGURES);
    publish(engine, "01");
    const ticket = ask(engine, { api });
    deliver(engine, api === "local" ? "verify" : "read", "failed");
    assert.equal(engine.replies.get(ticket)?.kind, "unassigned");
    assert.deepEqual(get(engine, { api: "remote" }), value("01"));
  });
}

Deno.test("a file that was found whole a moment ago for several is handed out without another look", () => {
  const engine = new FakeEngine({ ...FIGURES, maxHandles: 3 });
  publish(engine, "01");
  const first = ask(engine, {});
  const beside = ask(engine, {});
  // What a slow look says is as old as its beginning.
  engine.advance(LOOK_COUNTS_MS - 1);
  engine.settle();
  handle(engine.replies.get(first)!);
  handle(engine.replies.get(beside)!);
  engine.spoil(ENTRY.name, true);
  const next = ask(engine, {});
  handle(engine.replies.get(next)!);
  assert.equal(engine.table.counts(engine.nowMs).handles, 3);
  engine.advance(1);
  assert.equal(get(engine).kind, "assigned", "it is gone");
});

Deno.test("whoever asks alone is never told of a file that is gone", () => {
  const engine = new FakeEngine(FIGURES);
  publish(engine, "01");
  handle(settled(engine, ask(engine, {})));
  engine.spoil(ENTRY.name, true);
  assert.equal(settled(engine, ask(engine, {})).kind, "assigned");
});

Deno.test("a look that came to nothing is none", () => {
  const engine = new FakeEngine(FIGURES);
  publish(engine, "01");
  ask(engine, {});
  deliver(engine, "verify", "failed");
  const next = ask(engine, {});
  assert.equal(engine.replies.get(next), undefined);
  assert.equal(settled(engine, next).kind, "handle");
});

Deno.test("when it would be due is not remembered of who is answered at once", () => {
  const engine = new FakeEngine(FIGURES);
  get(engine);
  const { table } = engine;
  table.nextDeadlineMs();
  assert.equal(get(engine).kind, "loading");
  assert.equal(table.state.due.earliest(() => true), undefined);
});

Deno.test("a removal that waits for a read goes on when the read fails", () => {
  const engine = new FakeEngine(FIGURES);
  publish(engine, "01");
  ask(engine, { api: "remote" });
  const ticket = engine.ask({ kind: "evict", entry: ENTRY });
  assert.equal(engine.replies.has(ticket), false);
  deliver(engine, "read", "failed");
  ok(settled(engine, ticket));
});

Deno.test("a value above the message limit is never read into memory", () => {
  const engine = new FakeEngine(FIGURES);
  publish(engine, "010203040506070809");
  const reply = get(engine, { api: "remote" });
  assert.deepEqual(reply, { kind: "unassigned", reason: "too-large" });
  assert.equal(get(engine, { api: "local" }).kind, "handle");
});

Deno.test("a row of the original server gets its digest on first use", () => {
  const engine = new FakeEngine(FIGURES, [{ ...ENTRY, status: "ready" }]);
  assert.deepEqual(get(engine, { api: "remote" }), value("0e"));
  const row = engine.rows.get(ENTRY.name);
  assert.ok(row?.status === "ready" && row.digest && row.id);
  ok(evict(engine));
});

Deno.test("a loading row of the original server is nobody's: the next one is assigned", () => {
  const engine = new FakeEngine(FIGURES, [{ ...ENTRY, status: "loading" }]);
  const { id } = assigned(get(engine));
  ok(set(engine, id, "01"));
});

// --- Handles -----------------------------------------------------------------

Deno.test("every local Get has a handle of its own, and Drop releases one", () => {
  const engine = new FakeEngine(FIGURES);
  publish(engine, "01");
  const [first, second] = [handle(get(engine)), handle(get(engine))];
  assert.notEqual(first, second);
  ok(drop(engine, first));
  refused(drop(engine, first), "invalid-handle-id");
  refused(evict(engine), "in-use");
  ok(drop(engine, second));
  ok(evict(engine));
});

Deno.test("an entry is evicted only if it has the digest that was meant", () => {
  const engine = new FakeEngine(FIGURES);
  const evictIf = (sha256: string) =>
    settled(engine, engine.ask({ kind: "evict", entry: ENTRY, sha256 })).kind;
  assert.equal(evictIf("01"), "absent", "there is none");
  publish(engine, "01");
  const id = handle(get(engine));
  assert.equal(evictIf("02"), "absent", "also while it is read");
  assert.equal(evictIf("01"), "error");
  ok(drop(engine, id));
  engine.restart();
  assert.equal(
    evictIf("02"),
    "absent",
    "also when the manifest has to be asked",
  );
  assert.equal(evictIf("01"), "ok");
  localAssignment(engine);
  assert.equal(evictIf("01"), "absent", "somebody computes another one");
});

Deno.test("a handle pins until its lease ends, and Heartbeat renews it", () => {
  const engine = new FakeEngine(FIGURES);
  publish(engine, "01");
  const id = handle(get(engine));
  engine.advance(HANDLE_LEASE_MS - 1);
  ok(heartbeat(engine, id));
  engine.advance(HANDLE_LEASE_MS - 1);
  refused(evict(engine), "in-use");
  engine.advance(1);
  ok(evict(engine));
  refused(heartbeat(engine, id), "invalid-assignment-id");
});

Deno.test("Drop of a handle that expired within the last lease is OK, once", () => {
  const engine = new FakeEngine(FIGURES);
  publish(engine, "01");
  const [first, second] = [handle(get(engine)), handle(get(engine))];
  engine.advance(HANDLE_LEASE_MS);
  engine.advance(HANDLE_LEASE_MS - 1);
  ok(drop(engine, first));
  // A wake-up of anybody forgets what has been remembered for long enough.
  engine.advance(1);
  engine.tick();
  refused(drop(engine, second), "invalid-handle-id");
});

Deno.test("Drop of a handle from before a restart is OK for one lease", () => {
  const engine = new FakeEngine(FIGURES);
  publish(engine, "01");
  const [first, second] = [handle(get(engine)), handle(get(engine))];
  engine.restart();
  engine.advance(HANDLE_LEASE_MS - 1);
  ok(drop(engine, first));
  engine.advance(2);
  refused(drop(engine, second), "invalid-handle-id");
});

Deno.test("a handle is no assignment, and an assignment is no handle", () => {
  const engine = new FakeEngine(FIGURES);
  publish(engine, "01");
  const id = handle(get(engine));
  refused(set(engine, id, "02"), "invalid-assignment-id");
  refused(done(engine, id), "invalid-assignment-id");
  const other = entryKey("ns", "other");
  const work = assigned(get(engine, { entry: other }));
  refused(drop(engine, work.id), "invalid-handle-id");
  ok(set(engine, work.id, "02"));
});

Deno.test("handles are bounded: above it a local Get is Unassigned", () => {
  const engine = new FakeEngine(FIGURES);
  publish(engine, "01");
  const id = handle(get(engine));
  handle(get(engine));
  assert.deepEqual(get(engine), { kind: "unassigned", reason: "full" });
  ok(drop(engine, id));
  handle(get(engine));
});

Deno.test("a handle on damaged bytes does not pin what is published after them", () => {
  const engine = new FakeEngine(FIGURES);
  publish(engine, "01");
  const old = handle(get(engine));
  engine.spoil(ENTRY.name, false);
  ok(set(engine, assigned(get(engine, { api: "remote" })).id, "02"));
  ok(evict(engine));
  ok(drop(engine, old));
});

Deno.test("a quarantine that fails does not mix up who pins what", () => {
  const engine = new FakeEngine(FIGURES);
  publish(engine, "01");
  const old = handle(get(engine));
  engine.advance(LOOK_COUNTS_MS);
  engine.spoil(ENTRY.name, false);
  const ticket = ask(engine, {});
  deliver(engine, "evict", "failed");
  assert.equal(engine.replies.get(ticket)?.kind, "unassigned");
  ok(set(engine, assigned(get(engine, { api: "remote" })).id, "02"));
  ok(drop(engine, old));
  handle(get(engine));
  refused(evict(engine), "in-use");
});

// --- Bounds, failures, stop ---------------------------------------------------

Deno.test("assignments are bounded: above it Get is Unassigned, not an error", () => {
  const engine = new FakeEngine(FIGURES);
  get(engine, { entry: entryKey("ns", "1") });
  get(engine, { entry: entryKey("ns", "2") });
  assert.deepEqual(get(engine), { kind: "unassigned", reason: "full" });
});

Deno.test("assignments are bounded when many ask in the same moment, too", () => {
  const engine = new FakeEngine(FIGURES);
  for (const letter of "1234") ask(engine, { entry: entryKey("ns", letter) });
  engine.settle();
  assert.equal(engine.assignments.length, FIGURES.maxAssignments);
});

Deno.test("Gets that wait for one entry are bounded: above it Get is Loading, until one goes", () => {
  const table = bare();
  let ticket: Ticket = 0;
  const asked = () => {
    ticket++;
    const effects = table.step(
      { kind: "get", api: "remote", assign: true, entry: ENTRY, ticket },
      0,
    );
    return effects.filter(({ kind }) => kind === "reply");
  };
  for (let i = 0; i < MAX_WAITERS_PER_ENTRY; i++) {
    assert.deepEqual(asked(), []);
  }
  const loading: Effect[] = asked();
  assert.deepEqual(loading, [
    { kind: "reply", ticket, reply: { kind: "loading" } },
  ]);
  table.step({ kind: "cancel", ticket: 1 }, 0);
  assert.deepEqual(asked(), []);
});

Deno.test("Get is Unassigned when the manifest fails", () => {
  const engine = new FakeEngine(FIGURES);
  for (const assign of [true, false]) {
    const ticket = ask(engine, { assign });
    deliver(engine, assign ? "claim" : "find", "failed");
    const reply = engine.replies.get(ticket);
    assert.deepEqual(reply, { kind: "unassigned", reason: "failed" });
  }
  assert.equal(get(engine).kind, "assigned");
});

Deno.test("a take-over that fails leaves the work with its holder", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = assigned(get(engine, { api: "remote" }));
  engine.advance(LEASE_MS + 1);
  ask(engine, {});
  deliver(engine, "reassign", "failed");
  ok(heartbeat(engine, id));
});

Deno.test("a stop gives out no work, and lets running work end", () => {
  const engine = new FakeEngine(FIGURES);
  publish(engine, "01");
  const other = entryKey("ns", "other");
  const { id } = assigned(get(engine, { entry: other }));
  engine.drain();
  assert.equal(engine.table.isBusy(engine.nowMs), true);
  assert.deepEqual(get(engine, { entry: entryKey("ns", "new") }), {
    kind: "unassigned",
    reason: "stopping",
  });
  assert.equal(get(engine, { entry: other }).kind, "loading");
  ok(heartbeat(engine, id));
  ok(set(engine, id, "02"));
  assert.equal(get(engine).kind, "handle");
  assert.equal(engine.table.isBusy(engine.nowMs), false);
});

Deno.test("a stop waits for what is being evicted", () => {
  const engine = new FakeEngine(FIGURES);
  publish(engine, "01");
  engine.ask({ kind: "evict", entry: ENTRY });
  engine.drain();
  assert.equal(engine.table.isBusy(engine.nowMs), true);
  engine.settle();
  assert.equal(engine.table.isBusy(engine.nowMs), false);
});

Deno.test("nothing more is evicted in a stop, not even what was being looked up", () => {
  const engine = new FakeEngine({ ...FIGURES, maxResting: 0 });
  publish(engine, "01");
  const asked = engine.ask({ kind: "evict", entry: ENTRY });
  engine.drain();
  engine.settle();
  for (const ticket of [asked, engine.ask({ kind: "evict", entry: ENTRY })]) {
    const reply = engine.replies.get(ticket);
    assert.ok(reply?.kind === "error" && reply.error.code === "stopping");
  }
  assert.equal(engine.rows.get(ENTRY.name)?.status, "ready");
});

Deno.test("a stop during a claim gives its work to nobody who asks later", () => {
  const engine = new FakeEngine(FIGURES);
  engine.cancel(ask(engine, {}));
  engine.drain();
  const later = ask(engine, {});
  engine.settle();
  const reply = engine.replies.get(later);
  assert.deepEqual(reply, { kind: "unassigned", reason: "stopping" });
});

Deno.test("a publish whose row is another's by now tells its client that the id is void", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = assigned(get(engine));
  const ticket = engine.ask({ kind: "set", id, value: unhex("01") });
  until(engine, "persist");
  engine.rows.delete(ENTRY.name);
  engine.settle();
  refused(engine.replies.get(ticket), "invalid-assignment-id");
  assert.equal(get(engine).kind, "assigned");
});

Deno.test("a publish whose row is another's by now leaves no file behind", () => {
  const engine = new FakeEngine(FIGURES);
  const { id, staging } = localAssignment(engine);
  engine.write(staging, "01");
  engine.ask({ kind: "set", id, value: unhex("02") });
  until(engine, "persist");
  engine.rows.delete(ENTRY.name);
  engine.settle();
  assert.equal(engine.stores.staged.has(staging), false);
});

Deno.test("a publish that only seemed to fail is not done again with another value", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = seemsToFail(engine);
  assert.equal(engine.table.state.room.reservations.size, 1);
  ok(set(engine, id, "02"));
  assert.equal(engine.table.state.room.reservations.size, 0);
  assert.deepEqual(get(engine, { api: "remote" }), value("01"));
});

Deno.test("a value whose publish only seemed to fail is there to be removed", () => {
  const engine = new FakeEngine(FIGURES);
  seemsToFail(engine);
  engine.advance(LEASE_MS);
  ok(evict(engine));
  assert.equal(engine.rows.size, 0);
});

Deno.test("an acknowledged Done is published after an install that worked but could not say so", () => {
  const engine = new FakeEngine(FIGURES);
  acknowledge(engine);
  deliver(engine, "install", "silent");
  engine.finish();
  assert.deepEqual(get(engine, { api: "remote" }), value("0102030405"));
});

Deno.test("a result that comes twice changes nothing", () => {
  const engine = new FakeEngine(FIGURES);
  publish(engine, "01");
  handle(get(engine));
  get(engine, { api: "remote" });
  for (let index = 0; index < 8; index++) {
    assert.deepEqual(engine.repeat(index), []);
  }
});

Deno.test("a step of publishing that is reported twice is taken once", () => {
  const engine = new FakeEngine(FIGURES);
  acknowledge(engine);
  while (engine.jobs[0]) {
    engine.deliver(engine.jobs[0]);
    assert.deepEqual(engine.repeat(0), []);
  }
});

Deno.test("a late look at an old generation says nothing of the new one", () => {
  const engine = new FakeEngine(FIGURES);
  publish(engine, "01");
  ask(engine, { api: "remote" });
  const late = engine.jobs[0];
  assert.ok(late?.effect.kind === "read");
  engine.spoil(ENTRY.name, false);
  ask(engine, {});
  engine.apply(late);
  deliver(engine, "verify");
  deliver(engine, "evict");
  deliver(engine, "claim");
  const work = engine.assignments.at(-1);
  assert.ok(work);
  engine.ask({ kind: "set", id: work.id, value: unhex("02") });
  deliver(engine, "put");
  deliver(engine, "persist");
  engine.deliver(late);
  assert.deepEqual(engine.jobs, []);
  assert.deepEqual(get(engine, { api: "remote" }), value("02"));
});

Deno.test("the table asks to be woken for the earliest deadline only, and not while a probe is out", () => {
  const engine = new FakeEngine(FIGURES);
  assert.equal(engine.table.nextDeadlineMs(), undefined);
  localAssignment(engine);
  engine.advance(LEASE_MS + 59_000);
  ask(engine, {});
  // The engine of these tests throws when it is woken for nothing.
  engine.advance(10_000);
  engine.settle();
});

// --- Restart -----------------------------------------------------------------

Deno.test("a restart loses no work: the id is valid and the grace protects it", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = assigned(get(engine));
  engine.restart();
  engine.advance(GRACE_MS - 1);
  assert.equal(get(engine).kind, "loading");
  ok(set(engine, id, "01"));
});

Deno.test("after the restart's grace the work can be taken over", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = assigned(get(engine));
  engine.restart();
  engine.advance(GRACE_MS + 1);
  assert.equal(get(engine).kind, "assigned");
  refused(set(engine, id, "01"), "invalid-assignment-id");
});

Deno.test("neither a heartbeat nor a failed Done shortens the restart's grace", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = localAssignment(engine);
  engine.restart();
  ok(heartbeat(engine, id));
  refused(done(engine, id), "no-file");
  engine.advance(GRACE_MS - 1);
  assert.equal(get(engine).kind, "loading");
});

Deno.test("a file that was accepted, fails and is lost then does not shorten the restart's grace", () => {
  const engine = new FakeEngine({ ...FIGURES, restartGraceMs: 10 * LEASE_MS });
  const { id, staging } = acknowledge(engine);
  engine.restart();
  deliver(engine, "capture", "failed");
  engine.stores.captured.delete(staging);
  engine.advance(LEASE_MS + 1);
  refused(done(engine, id), "no-file");
  engine.advance(LEASE_MS + 1);
  assert.equal(get(engine).kind, "loading");
  engine.advance(8 * LEASE_MS);
  assert.equal(get(engine).kind, "assigned");
});

Deno.test("a standstill takes nothing of the grace of a holder whose file is lost", () => {
  const begun = () => {
    const engine = new FakeEngine({
      ...FIGURES,
      restartGraceMs: 10 * LEASE_MS,
    });
    const { id, staging } = acknowledge(engine);
    engine.restart();
    const lose = () => {
      engine.stores.captured.delete(staging);
      engine.advance(LEASE_MS + 1);
      refused(done(engine, id), "no-file");
    };
    return { engine, lose };
  };
  const waiting = begun();
  deliver(waiting.engine, "capture", "failed");
  waiting.engine.standStill(8 * LEASE_MS);
  waiting.lose();
  const publishing = begun();
  publishing.engine.standStill(8 * LEASE_MS);
  deliver(publishing.engine, "capture", "failed");
  publishing.lose();
  for (const { engine } of [waiting, publishing]) {
    engine.advance(8 * LEASE_MS);
    assert.equal(get(engine).kind, "loading");
    engine.advance(2 * LEASE_MS);
    assert.equal(get(engine).kind, "assigned");
  }
});

Deno.test("a second restart adds nothing to the grace of the first", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = assigned(get(engine));
  engine.restart();
  engine.advance(GRACE_MS - 1_000);
  engine.restart();
  engine.advance(999);
  assert.equal(get(engine).kind, "loading");
  engine.advance(1);
  assert.equal(get(engine).kind, "assigned");
  refused(set(engine, id, "01"), "invalid-assignment-id");
});

Deno.test("whoever sent heartbeats after a restart has the grace of the next one", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = assigned(get(engine));
  engine.restart();
  ok(heartbeat(engine, id));
  engine.advance(GRACE_MS + 1_000);
  engine.restart();
  engine.advance(GRACE_MS - 1);
  assert.equal(get(engine).kind, "loading");
  ok(set(engine, id, "01"));
});

Deno.test("an eviction that was cut short is finished at the next start", () => {
  const row: Row = { ...ENTRY, status: "evicting", id: "5" };
  const engine = new FakeEngine(FIGURES, [row]);
  assert.equal(engine.jobs[0]?.effect.kind, "evict");
  engine.settle();
  assert.equal(engine.rows.size, 0);
});

Deno.test("an entry with a live generation survives an unknown blob's sweep", () => {
  const engine = new FakeEngine(FIGURES);
  const { id } = assigned(get(engine));
  const ticket = engine.ask({ kind: "sweep", name: ENTRY.name });
  assert.equal(engine.replies.get(ticket)?.kind, "loading");
  ok(set(engine, id, "01"));
});

Deno.test("a result for an entry that the table does not know is dropped", () => {
  const table = bare();
  const error = new LarderError("storage-failed", "late");
  const late: readonly Effect[] = table.step({
    kind: "publish-failed",
    name: ENTRY.name,
    token: 1,
    error,
  }, 0);
  assert.deepEqual(late, []);
});

// --- What the stories are told with --------------------------------------------

/** A table without an engine. */
function bare(): StateTable {
  return new StateTable({
    ...FIGURES,
    servedBefore: false,
    startWallMs: 0,
    newId: () => "1",
    newStaging: () => "s",
  }, 0);
}

interface Asking {
  api?: Api;
  assign?: boolean;
  patient?: boolean;
  entry?: typeof ENTRY;
}

// --- Room, and the time to compute -------------------------------------------

Deno.test("Get is Unassigned while a quota has no room, and is assigned when it has", () => {
  const quotas = [{ pattern: "ns", maxBytes: 4 }];
  const engine = new FakeEngine({ ...FIGURES, quotas });
  publish(engine, "01020304");
  const other = entryKey("ns", "other");
  const refused = get(engine, { entry: other });
  assert(refused?.kind === "unassigned" && refused.reason === "no-room");
  assert.match(
    refused.detail ?? "",
    /^the quota of ns allows 4 bytes: 4 are kept, 0 are spoken for .* 4 more/,
  );
  const [excess] = engine.table.excess();
  assert.deepEqual([excess?.pattern, excess?.bytes], ["ns", 5]);
  assigned(get(engine, { entry: entryKey("elsewhere", "k") }));
  ok(evict(engine));
  assigned(get(engine, { entry: other }));
});

Deno.test("a value beyond its quota is refused, and the work stays with its client", () => {
  const quotas = [{ pattern: "ns", maxBytes: 4 }];
  for (const api of APIS) {
    const engine = new FakeEngine({ ...FIGURES, quotas });
    const { id, staging } = assigned(get(engine, { api }));
    if (staging !== undefined) {
      engine.write(staging, "0102030405");
      refused(done(engine, id), "storage-full");
      engine.write(staging, "01020304");
    } else {
      refused(set(engine, id, "0102030405"), "storage-full");
    }
    assert.deepEqual(get(engine), { kind: "loading" });
    ok(heartbeat(engine, id));
    ok(staging === undefined ? set(engine, id, "01") : done(engine, id));
  }
});

Deno.test("who computes for too long loses the work, heartbeats or not", () => {
  const engine = new FakeEngine({ ...FIGURES, maxComputeMs: 3 * LEASE_MS });
  const slow = assigned(get(engine));
  for (let i = 1; i <= 5; i++) {
    engine.advance(LEASE_MS / 2);
    ok(heartbeat(engine, slow.id));
    assert.deepEqual(get(engine), { kind: "loading" });
  }
  engine.advance(LEASE_MS / 2);
  ok(heartbeat(engine, slow.id));
  const next = assigned(get(engine));
  refused(set(engine, slow.id, "aa"), "invalid-assignment-id");
  engine.advance(LEASE_MS / 2);
  assert.deepEqual(
    get(engine),
    { kind: "loading" },
    "its own time begins anew",
  );
  ok(heartbeat(engine, next.id));
});

Deno.test("of work that goes to another it is said how long it took, over a restart", () => {
  const table = new StateTable({
    ...FIGURES,
    maxComputeMs: 3_000,
    servedBefore: true,
    startWallMs: 100_000,
    newId: () => "2",
    newStaging: () => "s",
    inMemory: () => undefined,
  }, 0);
  const row = { ...ENTRY, status: "loading", id: "1", assignedMs: 95_000 };
  table.step({ kind: "restore", row: row as Row, captured: false }, 0);
  table.step({ kind: "heartbeat", ticket: 1, id: "1" }, 2_000);
  const effects = table.step(
    { kind: "get", ticket: 2, api: "remote", entry: ENTRY, assign: true },
    3_500,
  );
  const superseded = effects.find(({ kind }) => kind === "superseded");
  assert.partialDeepStrictEqual(superseded, { computedMs: 8_500 });
});

Deno.test("a file's row says that it was handed out, once in half a lease", () => {
  const engine = new FakeEngine(FIGURES);
  const hands: boolean[] = [];
  const step = engine.table.step.bind(engine.table);
  engine.table.step = (command, nowMs) => {
    const effects = step(command, nowMs);
    for (const effect of effects) {
      if (effect.kind === "verify") hands.push(effect.hand === true);
    }
    return effects;
  };
  publish(engine, "aa");
  const first = handle(get(engine, { api: "local" }));
  ok(drop(engine, first));
  engine.advance(LOOK_COUNTS_MS);
  ok(drop(engine, handle(get(engine, { api: "local" }))));
  engine.advance(HANDLE_LEASE_MS / 2);
  ok(drop(engine, handle(get(engine, { api: "local" }))));
  assert.deepEqual(hands, [true, false, true]);
});

function ask(
  engine: FakeEngine,
  { api = "local", assign = true, patient = false, entry = ENTRY }: Asking = {},
): Ticket {
  const how = patient ? { patient } as const : {};
  return engine.ask({ kind: "get", api, assign, entry, ...how });
}

function get(engine: FakeEngine, asking: Asking = {}): Reply {
  return settled(engine, ask(engine, asking));
}

function heartbeat(engine: FakeEngine, id: Id): Reply {
  return settled(engine, engine.ask({ kind: "heartbeat", id }));
}

function set(engine: FakeEngine, id: Id, bytes: string): Reply {
  return settled(engine, engine.ask({ kind: "set", id, value: unhex(bytes) }));
}

function done(engine: FakeEngine, id: Id): Reply {
  return settled(engine, engine.ask({ kind: "done", id }));
}

function drop(engine: FakeEngine, id: Id): Reply {
  return settled(engine, engine.ask({ kind: "drop", id }));
}

function evict(engine: FakeEngine): Reply {
  return settled(engine, engine.ask({ kind: "evict", entry: ENTRY }));
}

function localAssignment(engine: FakeEngine): { id: Id; staging: string } {
  const { id, staging } = assigned(get(engine));
  assert.ok(staging !== undefined);
  return { id, staging };
}

/** A Done that was answered with OK while its file is being hashed. */
function acknowledge(engine: FakeEngine): { id: Id; staging: string } {
  const assignment = localAssignment(engine);
  engine.write(assignment.staging, "0102030405");
  const ticket = engine.ask({ kind: "done", id: assignment.id });
  deliver(engine, "capture");
  engine.advance(500);
  ok(engine.replies.get(ticket));
  return assignment;
}

/** A Done that was refused because a step failed, or seemed to have. */
function refuse(
  engine: FakeEngine,
  step: "hash" | "record" | "install" | "persist",
  how: "failed" | "silent" = "failed",
): { id: Id; staging: string } {
  const assignment = localAssignment(engine);
  engine.write(assignment.staging, "0102030405");
  const ticket = engine.ask({ kind: "done", id: assignment.id });
  deliver(engine, step, how);
  assert.equal(engine.replies.get(ticket)?.kind, "error");
  return assignment;
}

function publish(engine: FakeEngine, bytes: string): Assignment {
  const assignment = assigned(get(engine, { api: "remote" }));
  ok(set(engine, assignment.id, bytes));
  return assignment;
}

/** A Set of 01 that is Ready, and was answered with an error all the same. */
function seemsToFail(engine: FakeEngine): Assignment {
  const assignment = assigned(get(engine, { api: "remote" }));
  const { id } = assignment;
  const ticket = engine.ask({ kind: "set", id, value: unhex("01") });
  deliver(engine, "persist", "silent");
  refused(engine.replies.get(ticket), "storage-failed");
  return assignment;
}

function publishFile(engine: FakeEngine, bytes: string): Assignment {
  const { id, staging } = localAssignment(engine);
  engine.write(staging, bytes);
  ok(done(engine, id));
  return { id, staging };
}

function handle(reply: Reply): Id {
  assert.ok(reply.kind === "handle", `a handle, not ${reply.kind}`);
  return reply.id;
}

function value(bytes: string): Reply {
  return { kind: "value", value: unhex(bytes) };
}

function ok(reply: Reply | undefined): true {
  const error = reply?.kind === "error" ? reply.error.message : "";
  assert.equal(reply?.kind, "ok", error);
  return true;
}
