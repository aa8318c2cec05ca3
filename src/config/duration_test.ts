import assert from "node:assert/strict";
import { formatDurationMs, parseDurationMs } from "./duration.ts";

Deno.test("parseDurationMs reads whole milliseconds in every unit", () => {
  const cases: [string, number][] = [
    ["0s", 0],
    ["1ms", 1],
    ["200ms", 200],
    ["2s", 2_000],
    ["1.5s", 1_500],
    ["0.001s", 1],
    ["1.001s", 1_001],
    ["1m", 60_000],
    ["1h", 3_600_000],
    ["30d", 2_592_000_000],
    ["1.5d", 129_600_000],
    ["2w", 1_209_600_000],
    [" 2s ", 2_000],
  ];
  for (const [text, ms] of cases) assert.equal(parseDurationMs(text), ms, text);
});

Deno.test("parseDurationMs says how to write what it refuses", () => {
  const cases: [string, RegExp][] = [
    ["52001w", /too long: write 52000w at most/],
    ["99999999999999999999d", /too long/],
    ["2000", /no unit: write 200ms, 2s, 1m, 1h, 30d or 2w/],
    ["", /not a duration/],
    ["2sec", /not a duration/],
    ["2S", /not a duration/],
    ["-2s", /not a duration/],
    ["2s 5ms", /not a duration/],
    ["s", /not a duration/],
    ["1e3s", /not a duration/],
    ["0.5ms", /finer than a millisecond/],
    ["1.0001s", /finer than a millisecond/],
  ];
  for (const [text, message] of cases) {
    assert.throws(
      () => parseDurationMs(text),
      { name: "RangeError", message },
      text,
    );
  }
});

Deno.test("formatDurationMs writes what parseDurationMs reads back", () => {
  assert.equal(formatDurationMs(3_600_000), "1h");
  assert.equal(formatDurationMs(90_000), "90s");
  assert.equal(formatDurationMs(30 * 86_400_000), "30d");
  assert.equal(formatDurationMs(14 * 86_400_000), "2w");
  for (const ms of [0, 1, 999, 1_000, 1_001, 60_000, 3_600_001, 2 ** 31 - 1]) {
    assert.equal(parseDurationMs(formatDurationMs(ms)), ms);
  }
});
