import assert from "node:assert/strict";
import { FakeClock } from "../clock.ts";
import { withoutRepeats } from "./repeated_lines.ts";

Deno.test("withoutRepeats writes a line once a minute, and other lines meanwhile", () => {
  const clock = new FakeClock();
  const lines: string[] = [];
  const warn = withoutRepeats((line) => lines.push(line), clock);
  for (let i = 0; i < 5; i++) warn("the disk is full");
  warn("something else");
  assert.deepEqual(lines, ["the disk is full", "something else"]);
  clock.advance(59_999);
  warn("the disk is full");
  assert.equal(lines.length, 2);
  clock.advance(1);
  warn("the disk is full");
  assert.equal(lines.length, 3);
});

Deno.test("withoutRepeats forgets lines that were long ago, not the last ones", () => {
  const lines: string[] = [];
  const warn = withoutRepeats((line) => lines.push(line), new FakeClock());
  for (let i = 0; i < 1_000; i++) warn(`file ${i}`);
  warn("file 999");
  warn("file 0");
  assert.equal(lines.length, 1_001);
});
