import assert from "node:assert/strict";
import { Budget } from "./budget.ts";
import { Lines } from "./lines.ts";
import { Security } from "./security.ts";

/** How long a call pauses in all while each attempt fails at once. */
async function pausedMs(ms: number): Promise<number> {
  using budget = new Budget(
    new Lines("127.0.0.1:1", new Security("127.0.0.1:1")),
    { ms: () => ms },
  );
  const beganMs = performance.now();
  while (await budget.pause());
  return performance.now() - beganMs;
}

Deno.test("the last attempt is made when the patience ends, not when the pauses get long", async () => {
  const [none, some] = await Promise.all([pausedMs(0), pausedMs(700)]);
  assert(none < 200, `${none} ms`);
  assert(some >= 690, `${some} ms`);
});
