import assert from "node:assert/strict";
import { parseTimeoutMs } from "./timeout.ts";

Deno.test("a timeout is at most eight digits and a unit", () => {
  const examples: readonly (readonly [string, number | undefined])[] = [
    ["1H", 3_600_000],
    ["2M", 120_000],
    ["3S", 3_000],
    ["4m", 4],
    ["5000u", 5],
    ["6000000n", 6],
    ["0S", 0],
    ["00000001S", 1_000],
    ["99999999m", 99_999_999],
    ...["", "S", "1", "1s", "1h", "+1S", "-1S", " 1S", "1 S", "1.5S", "0x1S"]
      .map((malformed) => [malformed, undefined] as const),
    ["123456789S", undefined],
    ["1SS", undefined],
  ];
  for (const [value, ms] of examples) {
    const parsed = parseTimeoutMs(value);
    assert.equal(parsed && Math.round(parsed * 1e6) / 1e6, ms, value);
  }
});

Deno.test("a timeout beyond what a timer can wait is as long as one can", () => {
  assert.equal(parseTimeoutMs("99999999H"), 2 ** 31 - 1);
  assert.equal(parseTimeoutMs("2147484S"), 2 ** 31 - 1);
});
