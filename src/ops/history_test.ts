import assert from "node:assert/strict";
import { FakeClock } from "../clock.ts";
import { FIRST_POINT_MS, MAX_POINT_MS, MAX_POINTS } from "../limits.ts";
import { History, type Point } from "./history.ts";

const DAY_MS = 24 * 3_600_000;

function kept() {
  const clock = new FakeClock();
  let calls = 0;
  const zeros = { hits: 0, misses: 0, publishedBytes: 0, keptBytes: 0 };
  const history = new History(
    clock,
    () => ({ ...zeros, calls: ++calls, slowMs: calls }),
  );
  return { clock, history };
}

function inOrder(points: readonly Point[]): boolean {
  return points.every((point, at) =>
    at === 0 || point.atMs > points[at - 1]!.atMs &&
      point.calls > points[at - 1]!.calls
  );
}

Deno.test("History keeps a day in a bounded number of points", () => {
  const { clock, history } = kept();
  for (let hour = 1; hour <= 60; hour++) {
    clock.advance(3_600_000);
    const { points } = history.since();
    assert.ok(points.length <= MAX_POINTS, `${points.length}`);
    assert.ok(inOrder(points));
    const spanMs = points.at(-1)!.atMs - points[0]!.atMs;
    const wantedMs = Math.min(hour * 3_600_000, DAY_MS) - 2 * MAX_POINT_MS;
    assert.ok(spanMs >= wantedMs, `${spanMs} of ${wantedMs}`);
    assert.ok(spanMs <= DAY_MS);
    assert.equal(points.at(-1)!.slowMs, points.at(-1)!.calls);
  }
  history[Symbol.dispose]();
});

Deno.test("whoever has seen points is told of the others, or all anew", () => {
  const { clock, history } = kept();
  let { points, seen, isAnew } = history.since();
  assert.ok(isAnew);
  const told = [...points];
  let times = 0;
  for (let step = 0; step < 3 * MAX_POINTS; step++) {
    clock.advance(FIRST_POINT_MS);
    ({ points, seen, isAnew } = history.since(seen));
    if (isAnew) {
      told.length = 0;
      times++;
    }
    told.push(...points);
  }
  assert.ok(times >= 1);
  assert.deepEqual(told, history.since().points);
  assert.deepEqual(history.since(seen).points, []);
});
