import assert from "node:assert/strict";
import { TURN_MS } from "../http2/limits.ts";
import { MESSAGES_PER_TURN } from "./limits.ts";
import { MessageTurns } from "./message_turns.ts";

/** Lets everything happen that waits for nothing. */
const steps = () => new Promise<void>((resolve) => setTimeout(resolve));

Deno.test("a few messages are taken in each turn, in the order in which they were asked for", async () => {
  const work: (() => void)[] = [];
  const turns = new MessageTurns((one) => void work.push(one), () => 0);
  const taken: number[] = [];
  const total = 2 * MESSAGES_PER_TURN + 3;
  for (let message = 0; message < total; message++) {
    turns.take(() => taken.push(message));
  }
  assert.equal(taken.length, MESSAGES_PER_TURN);
  assert.equal(turns.waiting, total - MESSAGES_PER_TURN);
  work.shift()!();
  await steps();
  assert.equal(taken.length, 2 * MESSAGES_PER_TURN);
  // A turn that is full already takes no newcomer, either.
  turns.take(() => taken.push(total));
  assert.equal(taken.length, 2 * MESSAGES_PER_TURN);
  work.shift()!();
  await steps();
  assert.deepEqual(taken, Array.from({ length: total + 1 }, (_, at) => at));
  work.shift()!();
  assert.equal(work.length, 0, "nobody waits: no more turns");
});

Deno.test("messages that take long leave the rest of a turn to others, and keep their order", async () => {
  const work: (() => void)[] = [];
  let nowMs = 0;
  const turns = new MessageTurns((one) => void work.push(one), () => nowMs);
  const taken: number[] = [];
  const total = MESSAGES_PER_TURN + 10;
  for (let message = 0; message < total; message++) {
    turns.take(() => {
      taken.push(message);
      nowMs += TURN_MS / 2;
    });
  }
  // The first turn has begun with the first of them.
  for (let turn = 1; turn <= 5; turn++) {
    assert.equal(taken.length, 2 * turn);
    work.shift()!();
    await steps();
  }
  while (work.length > 0) {
    work.shift()!();
    await steps();
  }
  assert.deepEqual(taken, Array.from({ length: total }, (_, at) => at));
  assert.equal(turns.waiting, 0);
});

Deno.test("what a handler does with a message counts for the turn", async () => {
  const work: (() => void)[] = [];
  let nowMs = 0;
  const turns = new MessageTurns((one) => void work.push(one), () => nowMs);
  const taken: number[] = [];
  const total = MESSAGES_PER_TURN + 10;
  for (let message = 0; message < total; message++) {
    turns.take(() => {
      taken.push(message);
      void Promise.resolve().then(() => nowMs += TURN_MS / 2);
    });
  }
  assert.equal(taken.length, MESSAGES_PER_TURN);
  await steps();
  work.shift()!();
  await steps();
  assert.equal(taken.length, MESSAGES_PER_TURN + 2);
});
