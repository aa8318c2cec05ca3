import assert from "node:assert/strict";
import { failedOf, median, medians } from "./sample.ts";

Deno.test("median is the middle, of an even number the mean of the middle two", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(median([10, 9]), 9.5);
  assert.equal(median([7]), 7);
});

Deno.test("median of nothing is no number", () => {
  assert.equal(median([]), NaN);
});

Deno.test("medians takes each figure for itself", () => {
  assert.deepEqual(
    medians([
      { perSecond: 1, p50Ms: 30, p99Ms: 200 },
      { perSecond: 2, p50Ms: 10, p99Ms: 300 },
      { perSecond: 3, p50Ms: 20, p99Ms: 100 },
    ]),
    { perSecond: 2, p50Ms: 20, p99Ms: 200 },
  );
});

Deno.test("failures are added up, and none where they are not counted", () => {
  const sample = { perSecond: 1, p50Ms: 1, p99Ms: 1 };
  assert.equal(
    failedOf([{ ...sample, failed: 2 }, sample, {
      ...sample,
      failed: 3,
    }]),
    5,
  );
});
