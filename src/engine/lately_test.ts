import assert from "node:assert/strict";
import { FakeClock } from "../clock.ts";
import { HAPPENING_MS, MAX_HAPPENINGS } from "../limits.ts";
import { Lately } from "./lately.ts";

const key = (text: string) => new TextEncoder().encode(text);

Deno.test("Lately tells what is alike together", () => {
  const clock = new FakeClock();
  const lately = new Lately(clock);
  for (let at = 0; at < 1_000; at++) {
    clock.advance(1);
    const noted = { reason: "room", namespace: "sim", bytes: 10 };
    lately.note("evicted", { ...noted, key: key(`k${at}`) });
  }
  clock.advance(500);
  lately.note("refused", { reason: "no-room", namespace: "sim", detail: "x" });
  assert.deepEqual(lately.happenings(), [{
    kind: "refused",
    reason: "no-room",
    detail: "x",
    namespace: "sim",
    key: "",
    count: 1,
    bytes: 0,
    sinceMs: 0,
    agoMs: 0,
  }, {
    kind: "evicted",
    reason: "room",
    detail: "",
    namespace: "sim",
    key: "k0",
    count: 1_000,
    bytes: 10_000,
    sinceMs: 1_499,
    agoMs: 500,
  }]);
});

Deno.test("Lately is bounded, and a flood of one kind leaves the others", () => {
  const clock = new FakeClock();
  const lately = new Lately(clock);
  lately.note("damaged", { reason: "damaged", namespace: "old" });
  for (let at = 0; at < 10 * MAX_HAPPENINGS; at++) {
    clock.advance(1);
    const long = new Uint8Array(65_536).fill(0x61);
    lately.note("evicted", { reason: "age", namespace: `n${at}`, key: long });
  }
  const told = lately.happenings();
  assert.equal(told.length, MAX_HAPPENINGS + 1);
  assert.equal(told.at(-1)!.namespace, "old");
  assert.equal(told[0]!.namespace, `n${10 * MAX_HAPPENINGS - 1}`);
  assert.ok(told.every(({ key }) => key.length <= 81));
});

Deno.test("Lately forgets what has not happened for an hour", () => {
  const clock = new FakeClock();
  const lately = new Lately(clock);
  const noted = { reason: "full", namespace: "sim" };
  lately.note("refused", noted);
  clock.advance(HAPPENING_MS + 1);
  assert.deepEqual(lately.happenings(), []);
  lately.note("refused", noted);
  assert.deepEqual(lately.happenings().map(({ count }) => count), [1]);
});
