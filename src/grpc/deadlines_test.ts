import assert from "node:assert/strict";
import fc from "fast-check";
import { FakeClock } from "../clock.ts";
import { type Deadlined, Deadlines, NOT_WAITING } from "./deadlines.ts";
import { EXPIRIES_PER_TURN } from "./limits.ts";

function waiter(deadlineMs: number, expire: () => void = () => {}): Deadlined {
  return { deadlineMs, deadlinePlace: NOT_WAITING, expire };
}

Deno.test("what is answered in its turn starts no timer", async () => {
  const deadlines = new Deadlines(new FakeClock());
  const one = waiter(5);
  deadlines.add(one);
  assert.equal(deadlines.size, 1);
  deadlines.remove(one);
  await Promise.resolve();
  assert.equal(deadlines.hasTimer, false);
  assert.equal(deadlines.size, 0);
});

Deno.test("calls of a turn share a look at the clock, those of the next one do not", async () => {
  const clock = new FakeClock();
  const deadlines = new Deadlines(clock);
  assert.equal(deadlines.arrivedMs, 0);
  deadlines.add(waiter(5));
  clock.jump(2);
  assert.equal(deadlines.arrivedMs, 0);
  await Promise.resolve();
  assert.equal(deadlines.arrivedMs, 2);
});

Deno.test("what has expired may be removed again, and the last one stops the timer", async () => {
  const clock = new FakeClock();
  const deadlines = new Deadlines(clock);
  const expired: number[] = [];
  const early = waiter(5, () => {
    expired.push(5);
    deadlines.remove(early);
  });
  const late = waiter(9, () => expired.push(9));
  deadlines.add(late);
  deadlines.add(early);
  await Promise.resolve();
  clock.advance(5);
  assert.deepEqual(expired, [5]);
  assert.equal(deadlines.hasTimer, true);
  deadlines.remove(late);
  assert.equal(deadlines.hasTimer, false);
  clock.advance(10);
  assert.deepEqual(expired, [5]);
});

Deno.test("an earlier deadline that comes later is kept", async () => {
  const clock = new FakeClock();
  const deadlines = new Deadlines(clock);
  const expired: number[] = [];
  for (const deadlineMs of [100, 3.25, 50]) {
    deadlines.add(waiter(deadlineMs, () => expired.push(clock.nowMs())));
    await Promise.resolve();
  }
  clock.advance(4);
  assert.deepEqual(expired, [4], "not before it, and a timer counts whole ms");
  clock.advance(200);
  assert.deepEqual(expired, [4, 50, 100]);
  assert.equal(deadlines.hasTimer, false);
});

Deno.test("any order of adding, removing and waiting expires each in its time", async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("add"), value: fc.nat({ max: 60 }) }),
    fc.record({ kind: fc.constant("remove"), value: fc.nat({ max: 30 }) }),
    fc.record({ kind: fc.constant("wait"), value: fc.nat({ max: 20 }) }),
  );
  await fc.assert(fc.asyncProperty(fc.array(step), async (steps) => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    const waiting: Deadlined[] = [];
    for (const { kind, value } of steps) {
      if (kind === "add") {
        const one = waiter(clock.nowMs() + value, () => {
          assert.equal(clock.nowMs(), one.deadlineMs);
          assert.ok(waiting.includes(one));
          waiting.splice(waiting.indexOf(one), 1);
        });
        waiting.push(one);
        deadlines.add(one);
      } else if (kind === "remove" && waiting.length > 0) {
        deadlines.remove(waiting.splice(value % waiting.length, 1)[0]!);
      } else clock.advance(value);
      await Promise.resolve();
      assert.equal(deadlines.size, waiting.length);
      assert.equal(deadlines.hasTimer, waiting.length > 0);
    }
    clock.advance(60);
    assert.deepEqual(waiting, []);
  }));
});

Deno.test("many that pass together expire in turns", async () => {
  const clock = new FakeClock();
  let expired = 0;
  const turns: number[] = [];
  const deadlines = new Deadlines({
    nowMs: () => clock.nowMs(),
    setTimer: (delayMs, call) =>
      clock.setTimer(delayMs, () => {
        const before = expired;
        call();
        turns.push(expired - before);
      }),
  });
  const count = 2 * EXPIRIES_PER_TURN + 1;
  for (let at = 0; at < count; at++) deadlines.add(waiter(5, () => expired++));
  await Promise.resolve();
  clock.advance(5);
  assert.deepEqual(turns, [EXPIRIES_PER_TURN, EXPIRIES_PER_TURN, 1]);
  assert.equal(deadlines.hasTimer, false);
});
