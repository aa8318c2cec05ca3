import assert from "node:assert/strict";
import { Pace } from "./pace.ts";

Deno.test("Pace lets come what those before have left, and a second's worth at once", () => {
  const pace = new Pace();
  assert.equal(pace.take(1_000, 1_000, 0), 0);
  assert.equal(pace.take(500, 1_000, 0), 0);
  assert.equal(pace.take(500, 1_000, 0), 500);
  assert.equal(pace.take(500, 1_000, 0), 1_000);
  assert.equal(pace.take(100, 1_000, 1_500), 0);
  // What was not used long ago is over.
  assert.equal(pace.take(2_000, 1_000, 60_000), 0);
  assert.equal(pace.take(1, 1_000, 60_000), 1_000);
});

Deno.test("Pace forgets what does not come", () => {
  const pace = new Pace();
  pace.take(3_000, 1_000, 0);
  pace.giveBack(1_500, 1_000);
  assert.equal(pace.take(1, 1_000, 0), 500);
});
