import assert from "node:assert/strict";
import { Backoff } from "./backoff.ts";

Deno.test("Backoff starts again at once, then doubles up to five seconds", () => {
  const backoff = new Backoff();
  const waits = Array.from({ length: 9 }, () => backoff.nextWaitMs(59_999));
  assert.deepEqual(
    waits,
    [0, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000],
  );
});

Deno.test("Backoff forgets the deaths before a long life", () => {
  const backoff = new Backoff();
  for (let death = 0; death < 5; death++) backoff.nextWaitMs(1);
  assert.equal(backoff.nextWaitMs(60_000), 0);
  assert.equal(backoff.nextWaitMs(1), 100);
});

Deno.test("Backoff stays bounded after years of deaths", () => {
  const backoff = new Backoff();
  for (let death = 0; death < 5_000; death++) backoff.nextWaitMs(1);
  assert.equal(backoff.nextWaitMs(1), 5_000);
});
