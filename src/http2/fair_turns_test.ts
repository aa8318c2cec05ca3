/** Turns of the event loop, shared by those who have much to do. */

import assert from "node:assert/strict";
import { FairTurns } from "./fair_turns.ts";
import { TURN_MS } from "./limits.ts";
import { nextTurn } from "./turns.ts";

const turn = () => new Promise<void>(nextTurn);

/** Waits for its turn and says how long it took. */
async function work(turns: FairTurns, log: string[], name: string, ms: number) {
  await turns.next();
  log.push(name);
  turns.worked(ms);
}

Deno.test("who has much to do waits once a turn is spent, and only then", async () => {
  const turns = new FairTurns(() => 0);
  assert.equal(turns.isSpent, false);
  turns.worked(TURN_MS / 2);
  assert.equal(turns.isSpent, false);
  turns.worked(TURN_MS / 2);
  assert.equal(turns.isSpent, true);
  await turn();
  assert.equal(turns.isSpent, false);
});

Deno.test("those who wait have as much of a turn together as one may take", async () => {
  const turns = new FairTurns(() => 0);
  const log: string[] = [];
  turns.worked(TURN_MS);
  const all = ["a", "b", "c"].map((name) => work(turns, log, name, TURN_MS));
  const seen: string[] = [];
  for (let at = 0; at < 3; at++) {
    await turn();
    seen.push(log.join(""));
  }
  assert.deepEqual(seen, ["a", "ab", "abc"]);
  await Promise.all(all);
});

Deno.test("those who have little left to do share one turn, in order", async () => {
  const turns = new FairTurns(() => 0);
  const log: string[] = [];
  for (const name of "abcdefgh") void work(turns, log, name, TURN_MS / 4);
  await turn();
  assert.equal(log.join(""), "abcd");
  // Whoever comes now is behind those who wait.
  assert.equal(turns.isSpent, true);
  void work(turns, log, "i", TURN_MS / 4);
  await turn();
  assert.equal(log.join(""), "abcdefgh");
  await turn();
  assert.equal(log.join(""), "abcdefghi");
});

Deno.test("who has gone when it is let in costs the others a turn, not more", async () => {
  const turns = new FairTurns(() => 0);
  const log: string[] = [];
  void turns.next();
  void work(turns, log, "b", 0);
  for (let at = 0; at < 2; at++) await turn();
  assert.equal(log.join(""), "b");
});

Deno.test("what a handler goes on with after its frames counts as well", async () => {
  let nowMs = 0;
  const turns = new FairTurns(() => nowMs);
  const log: string[] = [];
  const slow = async (name: string) => {
    await turns.next();
    log.push(name);
    // A handler that waits for what is there already, and then works.
    void Promise.resolve().then(() => nowMs += TURN_MS);
    turns.worked(0);
  };
  for (const name of "abc") void slow(name);
  const seen: string[] = [];
  for (let at = 0; at < 3; at++) {
    await turn();
    seen.push(log.join(""));
  }
  assert.deepEqual(seen, ["a", "ab", "abc"]);
  void slow("d");
  await turn();
  assert.equal(turns.isSpent, true);
});

Deno.test("who asks for little waits for those alone that do so as well", async () => {
  const turns = new FairTurns(() => 0);
  const log: string[] = [];
  const wait = async (name: string, isSmall: boolean) => {
    await turns.next(isSmall);
    log.push(name);
    turns.worked(TURN_MS);
  };
  for (const name of "abcd") void wait(name, false);
  await turn();
  for (const name of "xy") void wait(name, true);
  for (let at = 0; at < 5; at++) await turn();
  // Nor do they keep the others from their turns.
  assert.equal(log.join(""), "axbycd");
});
