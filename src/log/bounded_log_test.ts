import assert from "node:assert/strict";
import { FakeClock } from "../clock.ts";
import { boundedLog } from "./bounded_log.ts";

function opened() {
  const clock = new FakeClock();
  const lines: string[] = [];
  return { ...boundedLog((line) => lines.push(line), clock), clock, lines };
}

Deno.test("a line is written once a minute, and other lines meanwhile", () => {
  const { warn, clock, lines } = opened();
  warn("the disk is full");
  clock.advance(1);
  warn("something else");
  clock.advance(59_998);
  warn("the disk is full");
  assert.deepEqual(lines, ["the disk is full", "something else"]);
  clock.advance(1);
  warn("the disk is full");
  assert.deepEqual(lines.slice(2), ["the disk is full"]);
});

Deno.test("lines that come in masses are counted, and the count is said", () => {
  const { warn, clock, lines } = opened();
  for (let i = 0; i < 300; i++) warn(`work was abandoned: "${i}"`);
  for (let i = 0; i < 50; i++) warn(`work was abandoned: "0"`);
  assert.equal(lines.length, 100);
  clock.advance(60_000);
  const summary = "250 lines were left out here: 50 said what had been said " +
    "within the minute before, 200 came beside more than 100 others within a " +
    "minute";
  assert.deepEqual(lines.slice(100), [summary]);
  for (let i = 0; i < 100; i++) warn(`again ${i}`);
  assert.equal(lines.length, 201, "a minute later there is room again");
  clock.advance(600_000);
  assert.equal(lines.length, 201, "and nothing to count");
});

Deno.test("what was left out is said at the end, and no timer is left", () => {
  const clock = new FakeClock();
  const lines: string[] = [];
  {
    using log = boundedLog((line) => lines.push(line), clock);
    log.warn("a");
    log.warn("a");
  }
  assert.equal(lines.length, 2);
  assert.equal(
    lines[1],
    "1 line was left out here: it said what had been said within the minute before",
  );
  clock.advance(60_000);
  assert.equal(lines.length, 2);
});

Deno.test("a line is one for all entries of a namespace, and another one elsewhere", () => {
  const { warn, lines } = opened();
  const key = (text: string) => new TextEncoder().encode(text);
  warn("the disk failed", { namespace: "a", key: key("1"), client: "b:1" });
  warn("the disk failed", { namespace: "a", key: key("2"), client: "b:2" });
  warn("the disk failed", { namespace: "b", key: key("1"), client: "b:1" });
  warn("the disk failed");
  assert.equal(lines.length, 3);
});
