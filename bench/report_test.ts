import assert from "node:assert/strict";
import { ratiosOf, verdict } from "./report.ts";
import { WORKS } from "./works.ts";

const sample = (perSecond: number, ms: number) => ({
  perSecond,
  p50Ms: ms,
  p99Ms: 2 * ms,
});

Deno.test("a ratio is the median of neighbouring runs, whatever drifts", () => {
  const { speed, p50, p99 } = ratiosOf({
    work: WORKS[0]!,
    larder: [sample(100, 4), sample(10, 40), sample(50, 8)],
    other: [sample(200, 2), sample(20, 20), sample(50, 8)],
  });
  assert.deepEqual({ speed, p50, p99 }, { speed: 0.5, p50: 2, p99: 2 });
});

Deno.test("a verdict names each goal: more speed, less time", () => {
  const ratios = { speed: 0.9, p50: 0.95, p99: 1.2 };
  assert.equal(
    verdict({ speed: 0.9, p99: 1 }, ratios),
    "speed >= 0.9: met, p99 <= 1: missed",
  );
  assert.equal(verdict({ p50: 1.1 }, ratios), "p50 <= 1 / 1.1: missed");
  assert.equal(verdict({ p50: 1.05 }, ratios), "p50 <= 1 / 1.05: met");
  assert.equal(verdict({ slowdown: 1.15 }, ratios), "speed >= 1 / 1.15: met");
  assert.equal(
    verdict({ slowdown: 1.1 }, ratios),
    "speed >= 1 / 1.1: missed",
  );
  assert.equal(
    verdict({ failed: 0 }, ratios, { larder: 0, other: 3 }),
    "0 failed, beside 3: met",
  );
  assert.equal(
    verdict({ failed: 0 }, ratios, { larder: 1, other: 0 }),
    "1 failed, beside 0: missed",
  );
  assert.equal(verdict({}, ratios), "");
});
