/** Accepting goes on, whatever it throws. */

import assert from "node:assert/strict";
import { acceptAll } from "./accepting.ts";
import { ACCEPTS_PER_TURN } from "./limits.ts";
import { nextTurn } from "./turns.ts";

/** Accepts what a script says, then closes. */
async function play(script: readonly (string | Error)[]) {
  const left = [...script];
  const taken: string[] = [];
  const pauses: number[] = [];
  const warnings: string[] = [];
  await acceptAll<string>({
    accept() {
      const next = left.shift()!;
      return next instanceof Error
        ? Promise.reject(next)
        : Promise.resolve(next);
    },
    take(connection) {
      if (connection === "broken") throw new Error("it has gone");
      taken.push(connection);
    },
    isAborted: (error) => error instanceof Deno.errors.ConnectionAborted,
    isClosing: () => left.length === 0,
    warn: (message) => warnings.push(message),
    pause: (ms) => {
      pauses.push(ms);
      return Promise.resolve();
    },
  });
  return { taken, pauses, warnings };
}

const short = new Error("Too many open files (os error 24)");
const aborted = new Deno.errors.ConnectionAborted();

Deno.test("while descriptors are short it waits longer and longer, and says so once", async () => {
  const { taken, pauses, warnings } = await play([
    ...["a", ...Array<Error>(8).fill(short), "b", short, "c"],
    "the last",
  ]);
  assert.deepEqual(taken, ["a", "b", "c", "the last"]);
  assert.deepEqual(pauses, [10, 20, 40, 80, 160, 320, 500, 500, 10]);
  assert.equal(warnings.length, 2);
  assert.match(warnings[0]!, /cannot accept.*os error 24/);
});

Deno.test("a client that left before its turn costs nothing", async () => {
  const { taken, pauses, warnings } = await play([aborted, "a", aborted, "b"]);
  assert.deepEqual([taken, pauses, warnings], [["a", "b"], [], []]);
});

Deno.test("a connection that breaks as it is taken concerns no other", async () => {
  const { taken, pauses, warnings } = await play(["a", "broken", "b"]);
  assert.deepEqual([taken, pauses], [["a", "b"], []]);
  assert.equal(warnings.length, 1);
});

Deno.test("the error of a closed listener is no error", async () => {
  const { warnings } = await play(["a", new Deno.errors.BadResource()]);
  assert.deepEqual(warnings, []);
});

Deno.test("a crowd of newcomers lets others have their turns", async () => {
  const crowd = Array.from(
    { length: 10 * ACCEPTS_PER_TURN },
    (_, at) => `${at}`,
  );
  const playing = play(crowd);
  let passed = 0;
  let isOver = false;
  const count = () => {
    passed++;
    if (!isOver) nextTurn(count);
  };
  nextTurn(count);
  const { taken } = await playing;
  isOver = true;
  assert.deepEqual(taken, crowd);
  assert.ok(passed >= 9, `${passed} turns`);
});
