import assert from "node:assert/strict";
import { RequestGrant } from "./request_budget.ts";
import { TestBudget } from "./testing/test_budget.ts";
import { settled } from "./testing/test_server.ts";

Deno.test("without a budget everything is granted", () => {
  const grant = new RequestGrant(undefined, {});
  let isGranted = false;
  grant.ask(1, (refusal) => isGranted = refusal === undefined);
  assert.equal(isGranted, true);
  grant.end();
});

Deno.test("who asks for more gives back what it holds before", async () => {
  const budget = new TestBudget(100);
  const grant = new RequestGrant(budget, {});
  grant.ask(60, () => {});
  assert.equal(budget.usedBytes, 60);
  let isGranted = false;
  grant.ask(100, () => isGranted = true);
  await settled();
  assert.equal(isGranted, true);
  assert.equal(budget.usedBytes, 100);
  grant.end();
  assert.equal(budget.usedBytes, 0);
});

Deno.test("after its end a call holds nothing, whatever was under way", async () => {
  const budget = new TestBudget(100);
  const held = budget.take({}, 100);
  const grant = new RequestGrant(budget, {});
  const never = () => assert.fail("it has ended");
  grant.ask(50, never);
  assert.equal(grant.isWaiting, true);
  assert.ok(!(held instanceof Promise));
  // Granted, and ended before it hears of that.
  held.release();
  grant.end();
  await settled();
  assert.equal(budget.usedBytes, 0);
  grant.ask(50, never);
  assert.equal(budget.usedBytes, 0);
});

Deno.test("a budget that refuses is heard, at once and later", async () => {
  for (
    const take of [
      () => {
        throw new Error("closed");
      },
      () => Promise.reject(new Error("closed")),
    ]
  ) {
    const grant = new RequestGrant({ contended: false, take }, {});
    const { promise, resolve } = Promise.withResolvers<unknown>();
    grant.ask(1, resolve);
    assert.equal(((await promise) as Error).message, "closed");
    assert.equal(grant.isWaiting, false);
  }
});
