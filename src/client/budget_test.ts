import assert from "node:assert/strict";
import { Budget } from "./budget.ts";
import { Lines } from "./lines.ts";

/** How long a call pauses in all while each attempt fails at once. */
async function pausedMs(ms: number): Promise<number> {
  using budget = new Budget(new Lines("127.0.0.1:1"), { ms: () => ms });
  const beganMs = performance.now();
  while (await budget.pause());
  return performance.now() - beganMs;
}

Deno.test("the last attempt is made when the patience ends, not when the pauses get long", async () => {
  const [none, some] = await Promise.all([pausedMs(0), pausedMs(700)]);
  assert(none < 200, `${none} ms`);
  assert(some >= 690, `${some} ms`);
});

Deno.test("patience counts from when the server was last heard of, or known to live", () => {
  const lines = new Lines("127.0.0.1:1");
  const silentFor = (budget: Budget, ms: number) => {
    budget.spend(ms, false);
    return budget.signal.aborted;
  };
  const begun = () => {
    const budget = new Budget(lines, { ms: () => 5_000 });
    // Nobody's time goes by but what this test says.
    lines.stopSpending(budget);
    budget.ask();
    assert(!silentFor(budget, 4_000));
    budget.heard();
    return budget;
  };
  const heard = begun();
  assert(!silentFor(heard, 4_000));
  assert(silentFor(heard, 1_000));
  const waited = begun();
  assert(!silentFor(waited, 4_000));
  // As somebody else computes, of a server that lives.
  waited.spend(60_000, true);
  assert(!silentFor(waited, 4_000));
  assert(silentFor(waited, 1_000));
});
