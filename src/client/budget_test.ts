import assert from "node:assert/strict";
import { Budget, type BudgetOptions } from "./budget.ts";
import { Lines, type Turn } from "./lines.ts";
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

const PATIENCE_MS = 3_000;
const TURN_MS = 100;
/** A connection is taken for silent then. */
const SILENT_MS = 1_300;

/** A budget, and a clock for it that the test moves. */
function counted(options: Partial<BudgetOptions> = {}) {
  const clock = { nowMs: 0, spend() {}, stopSpending() {} };
  const budget = new Budget(clock, { ms: () => PATIENCE_MS, ...options });
  /** Turns until a time; what is known of the connection at each. */
  const turnsUntil = (
    endMs: number,
    known: (nowMs: number) => Omit<Turn, "nowMs">,
  ) => {
    while (clock.nowMs < endMs && !budget.signal.aborted) {
      clock.nowMs += TURN_MS;
      budget.spend({ nowMs: clock.nowMs, ...known(clock.nowMs) });
    }
  };
  return { clock, budget, turnsUntil };
}

/** A connection that has moved for the last time. */
function silentFrom(movedMs: number): (nowMs: number) => Omit<Turn, "nowMs"> {
  return (nowMs) => {
    const silentMs = nowMs - movedMs;
    const connection = silentMs < SILENT_MS ? "alive" : "silent";
    return { silentMs, connection };
  };
}

const alive = () => ({ silentMs: 0, connection: "alive" } as const);
const none = () => ({ silentMs: 0, connection: "none" } as const);

for (
  const [who, isTrusting, hears] of [
    ["who waits for somebody", false, true],
    ["who publishes, and has heard nothing", true, false],
    ["who asks, and has heard nothing", false, false],
  ] as const
) {
  Deno.test(`patience ends when it should on a silent connection: ${who}`, () => {
    const { clock, budget, turnsUntil } = counted({ isTrusting });
    if (hears) budget.heard();
    const movedMs = hears || isTrusting ? 20_000 : 0;
    turnsUntil(movedMs, alive);
    turnsUntil(Infinity, silentFrom(movedMs));
    assert.equal(clock.nowMs - movedMs, PATIENCE_MS);
    assert.equal(
      (budget.signal.reason as Error).message,
      "no answer within 3000 ms",
    );
    budget.heard();
    assert.equal(budget.waitedMs, PATIENCE_MS);
  });
}

Deno.test("a connection that breaks after it was idle has lived until then", () => {
  const { clock, budget, turnsUntil } = counted();
  budget.heard();
  turnsUntil(1_200, silentFrom(0));
  turnsUntil(Infinity, none);
  assert.equal(clock.nowMs, 1_200 + PATIENCE_MS);
});

Deno.test("a server that lives and does not answer has ten seconds, and the message says so", () => {
  const { clock, budget, turnsUntil } = counted();
  turnsUntil(Infinity, alive);
  assert.equal(clock.nowMs, 10_000);
  assert.equal(
    (budget.signal.reason as Error).message,
    "no answer within 10000 ms",
  );
});

Deno.test("it is said when to look next, so that the end is no turn too late", () => {
  const { budget } = counted();
  const at = (nowMs: number) => ({ nowMs, ...none() });
  assert.equal(budget.spend(at(2_970)), 30);
  assert.equal(budget.signal.aborted, false);
  budget.spend(at(3_000));
  assert.equal(budget.signal.aborted, true);
});

Deno.test("patience counts from when the server was last heard of", () => {
  const { clock, budget, turnsUntil } = counted();
  turnsUntil(2_000, none);
  budget.heard();
  turnsUntil(Infinity, none);
  assert.equal(clock.nowMs, 2_000 + PATIENCE_MS);
});
