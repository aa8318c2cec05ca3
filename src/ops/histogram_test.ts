import assert from "node:assert/strict";
import { Histogram } from "./histogram.ts";

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
