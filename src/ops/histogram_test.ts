import assert from "node:assert/strict";
import { Histogram, newCounts, quantileMs } from "./histogram.ts";

Deno.test("Histogram counts each duration in all buckets that hold it", () => {
  const histogram = new Histogram();
  for (const ms of [0.05, 0.1, 1, 999, 1_000_000]) histogram.add(ms);
  const values = new Map(
    histogram.samples("h", { a: "b" }).map(({ metricName, labels, value }) => [
      `${metricName} ${labels?.a} ${labels?.le ?? ""}`,
      value,
    ]),
  );
  assert.equal(values.get("h_bucket b 0.0001"), 2);
  assert.equal(values.get("h_bucket b 0.001"), 3);
  assert.equal(values.get("h_bucket b 1"), 4);
  assert.equal(values.get("h_bucket b 30"), 4);
  assert.equal(values.get("h_bucket b +Inf"), 5);
  assert.equal(values.get("h_count b "), 5);
  assert.equal(histogram.count, 5);
  assert.ok(Math.abs(values.get("h_sum b ")! - 1_001.00015) < 0.01);
});

Deno.test("quantileMs says where in its bucket a share of durations ends", () => {
  const times = new Histogram();
  for (let at = 0; at < 90; at++) times.add(0.2);
  for (let at = 0; at < 10; at++) times.add(700);
  const counts = newCounts();
  assert.equal(quantileMs(counts, 0.5), undefined);
  times.addTo(counts);
  assert.ok(Math.abs(quantileMs(counts, 0.45)! - 0.175) < 1e-9);
  assert.ok(Math.abs(quantileMs(counts, 0.95)! - 750) < 1e-9);
  const slow = newCounts();
  slow[slow.length - 1] = 1;
  assert.equal(quantileMs(slow, 0.99), 30_000);
});
