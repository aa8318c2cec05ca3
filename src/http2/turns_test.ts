/** Calls that are gathered. */

import assert from "node:assert/strict";
import { Gathered, nextTurn } from "./turns.ts";

const turn = () => new Promise<void>(nextTurn);

Deno.test("each item is called once, in order, so many in a turn", async () => {
  const called: number[] = [];
  const gathered = new Gathered<number>((item) => called.push(item), 2);
  for (const item of [1, 2, 2, 3, 1, 4, 5]) gathered.add(item);
  const seen: string[] = [];
  for (let at = 0; at < 3; at++) {
    await turn();
    seen.push(called.join(""));
  }
  assert.deepEqual(seen, ["12", "1234", "12345"]);
});

Deno.test("what is added as others are called has a turn of its own", async () => {
  const called: number[] = [];
  const gathered = new Gathered<number>((item) => {
    called.push(item);
    if (item < 3) gathered.add(item + 1);
  }, 8);
  gathered.add(1);
  for (let at = 1; at <= 3; at++) {
    await turn();
    assert.equal(called.length, at);
  }
});
