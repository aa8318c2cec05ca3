/**
 * Test-only: what the stories of the table are told with.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { LarderError } from "../../errors.ts";
import type { FakeEngine } from "./fake_engine.ts";
import type { Fault } from "./fake_stores.ts";
import type { Assignment, Effect, Reply, Ticket } from "../types.ts";

/** Lets everything report back; the answer to a request. */
export function settled(engine: FakeEngine, ticket: Ticket): Reply {
  engine.settle();
  const reply = engine.replies.get(ticket);
  assert.ok(reply, "was answered");
  return reply;
}

/** Lets the next job of that kind report back. */
export function deliver(
  engine: FakeEngine,
  kind: Effect["kind"],
  fault: Fault = "none",
): void {
  until(engine, kind);
  const job = engine.jobs.find(({ effect }) => effect.kind === kind);
  assert.ok(job);
  engine.deliver(job, fault);
}

/** Lets everything report back until there is a job of that kind. */
export function until(engine: FakeEngine, kind: Effect["kind"]): void {
  while (!engine.jobs.some(({ effect }) => effect.kind === kind)) {
    const [job] = engine.jobs;
    assert.ok(job, `there will be a ${kind}`);
    engine.deliver(job);
  }
}

/** Expects an assignment. */
export function assigned(reply: Reply | undefined): Assignment {
  assert.ok(reply?.kind === "assigned", `assigned, not ${reply?.kind}`);
  return reply.assignment;
}

/** Expects an error of that code. */
export function refused(
  reply: Reply | undefined,
  code: LarderError["code"],
): void {
  assert.ok(reply?.kind === "error", `an error, not ${reply?.kind}`);
  assert.equal(reply.error.code, code);
}
