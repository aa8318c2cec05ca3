import assert from "node:assert/strict";
import fc from "fast-check";
import { type Grant, MemoryBudget } from "./memory_budget.ts";

const sizes = { totalBytes: 100, connectionBytes: 40 };

function now(grant: Grant | Promise<Grant>): Grant {
  assert.ok(!(grant instanceof Promise), "it should not have to wait");
  return grant;
}

function later(grant: Grant | Promise<Grant>): Promise<Grant> {
  assert.ok(grant instanceof Promise, "it should have to wait");
  return grant;
}

Deno.test("bytes are granted at once while there is room, and come back once", () => {
  const budget = new MemoryBudget(sizes);
  const grant = now(budget.take({}, 30));
  assert.equal(budget.usedBytes, 30);
  grant.release();
  grant.release();
  assert.equal(budget.usedBytes, 0);
});

Deno.test("one connection cannot take more than its share", async () => {
  const budget = new MemoryBudget(sizes);
  const connection = {};
  const first = now(budget.take(connection, 30));
  const second = later(budget.take(connection, 20));
  now(budget.take({}, 20));
  first.release();
  assert.equal((await second).bytes, 20);
});

Deno.test("it is told when somebody waits for room, not for a share of his own", () => {
  let told = 0;
  const budget = new MemoryBudget({ ...sizes, onShort: () => told++ });
  const connection = {};
  now(budget.take(connection, 40));
  later(budget.take(connection, 10));
  assert.equal(told, 0);
  now(budget.take({}, 35));
  later(budget.take({}, 40));
  assert.equal(told, 1);
});

Deno.test("a quarter is kept for connections that hold nothing", async () => {
  const budget = new MemoryBudget(sizes);
  const greedy = [{}, {}, {}];
  const grants = greedy.map((connection) => now(budget.take(connection, 20)));
  now(budget.take(greedy[0]!, 15));
  const more = later(budget.take(greedy[1]!, 10));
  now(budget.take({}, 25));
  grants[2]!.release();
  const waiting = budget.contended;
  grants[1]!.release();
  await more;
  assert.equal(waiting, true);
});

Deno.test("a reply larger than a connection's share passes when it is alone", () => {
  const budget = new MemoryBudget(sizes);
  const connection = {};
  const grant = now(budget.take(connection, 1_000));
  assert.equal(grant.bytes, 100);
  later(budget.take({}, 1));
  grant.release();
});

Deno.test("connections are served in turn, however much one of them asks for", async () => {
  const budget = new MemoryBudget(sizes);
  const all = now(budget.take({}, 100));
  const order: string[] = [];
  const ask = (name: string, connection: object) =>
    later(budget.take(connection, 10)).then(() => order.push(name));
  const a = {};
  const b = {};
  const asked = [ask("a1", a), ask("a2", a), ask("a3", a), ask("b1", b)];
  all.release();
  await Promise.all(asked);
  assert.deepEqual(order, ["a1", "b1", "a2", "a3"]);
});

Deno.test("a large reply is not starved by small ones that come later", async () => {
  const budget = new MemoryBudget(sizes);
  const first = now(budget.take({}, 60));
  const large = later(budget.take({}, 80));
  const small = later(budget.take({}, 10));
  first.release();
  await Promise.all([large, small]);
});

Deno.test("who stops waiting makes way for those behind", async () => {
  const budget = new MemoryBudget(sizes);
  now(budget.take({}, 60));
  const controller = new AbortController();
  const large = later(budget.take({}, 80, controller.signal));
  const small = later(budget.take({}, 10));
  controller.abort(new Error("the caller has gone"));
  await assert.rejects(large, /the caller has gone/);
  assert.equal((await small).bytes, 10);
  assert.equal(budget.contended, false);
  assert.throws(() => budget.take({}, 1, controller.signal), /has gone/);
});

Deno.test("whatever happens, limits hold and nobody waits for ever", async () => {
  const step = fc.record({
    connection: fc.nat(4),
    bytes: fc.nat(120),
    act: fc.constantFrom("take", "release", "abort"),
  });
  await fc.assert(fc.asyncProperty(fc.array(step), async (steps) => {
    const budget = new MemoryBudget(sizes);
    const connections = [{}, {}, {}, {}, {}];
    const held = new Set<Grant>();
    const waiting = new Set<AbortController>();
    const keep = (grant: Grant) => held.add(grant);
    for (const { connection, bytes, act } of steps) {
      if (act === "release") held.values().next().value?.release();
      if (act === "abort") waiting.values().next().value?.abort();
      if (act === "release") held.delete(held.values().next().value!);
      if (act === "take") {
        const controller = new AbortController();
        const { signal } = controller;
        const taken = budget.take(connections[connection]!, bytes, signal);
        if (taken instanceof Promise) {
          waiting.add(controller);
          taken.then(keep, () => {}).finally(() => waiting.delete(controller));
        } else keep(taken);
      }
      await Promise.resolve();
      assert.ok(budget.usedBytes <= sizes.totalBytes);
    }
    for (let i = 0; i < 1_000 && (held.size > 0 || waiting.size > 0); i++) {
      for (const grant of held) grant.release();
      held.clear();
      await new Promise((resolve) => queueMicrotask(() => resolve(undefined)));
    }
    assert.equal(waiting.size, 0);
    assert.equal(budget.usedBytes, 0);
  }));
});
