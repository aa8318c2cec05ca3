import assert from "node:assert/strict";
import { DueTimes } from "./due_times.ts";

Deno.test("what was answered meanwhile is left out", () => {
  const times = new DueTimes();
  for (let ticket = 1; ticket <= 10_000; ticket++) times.add(ticket, ticket);
  assert.equal(times.earliest((ticket) => ticket > 9_000), 9_001);
  assert.equal(times.takeDue(9_000), undefined);
  assert.equal(times.takeDue(9_002), 9_001);
  assert.equal(times.takeDue(9_002), 9_002);
  assert.equal(times.takeDue(9_002), undefined);
  assert.equal(times.earliest(() => true), 9_003);
  assert.equal(times.earliest(() => false), undefined);
  times.add(1, 20_000);
  assert.equal(times.earliest(() => true), 20_000);
});
