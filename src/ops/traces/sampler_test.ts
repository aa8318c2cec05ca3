import assert from "node:assert/strict";
import { FakeClock } from "../../clock.ts";
import { MAX_TRACED_CALLS } from "../../limits.ts";
import { Sampler } from "./sampler.ts";

const parent = { traceId: "a".repeat(32), spanId: "b".repeat(16) };
const sampled = { ...parent, isSampled: true };
const unsampled = { ...parent, isSampled: false };

Deno.test("chance decides of calls of which no client has", () => {
  const drawn = [0, 0.0999, 0.1, 0.5, 0.99];
  const sampler = new Sampler(0.1, new FakeClock(), () => drawn.shift()!);
  const taken = Array.from({ length: 5 }, () => sampler.takes(undefined));
  assert.deepEqual(taken, [true, true, false, false, false]);
});

Deno.test("a client's decision stands, whatever the share is", () => {
  for (const ratio of [0, 0.5, 1]) {
    const sampler = new Sampler(ratio, new FakeClock());
    assert.equal(sampler.takes(sampled), true);
    assert.equal(sampler.takes(unsampled), false);
  }
  const clock = new FakeClock();
  assert.equal(new Sampler(0, clock).takes(undefined), false);
  assert.equal(new Sampler(1, clock).takes(undefined), true);
});

Deno.test("no client gets more than a bounded number traced within a second", () => {
  const clock = new FakeClock();
  const sampler = new Sampler(1, clock);
  function taken(calls: number): number {
    return Array.from({ length: calls }, () => sampler.takes(sampled))
      .filter(Boolean).length;
  }
  assert.equal(taken(1_000), MAX_TRACED_CALLS);
  clock.advance(999);
  assert.equal(taken(1), 0);
  clock.advance(1);
  assert.equal(taken(1_000), MAX_TRACED_CALLS);
});
