import assert from "node:assert/strict";
import { FakeClock } from "../clock.ts";
import { Known } from "./known.ts";

Deno.test("Known waits for a disk that does not answer for half a second", async () => {
  const clock = new FakeClock();
  const answers: PromiseWithResolvers<string>[] = [];
  const space = new Known(() => {
    const answer = Promise.withResolvers<string>();
    answers.push(answer);
    return answer.promise;
  }, clock);
  const first = space.refresh();
  clock.advance(500);
  await first;
  assert.equal(space.current, undefined);
  const second = space.refresh();
  // It has not answered the first time.
  assert.equal(answers.length, 1);
  answers[0]!.resolve("full");
  await second;
  assert.equal(space.current, "full");
});

Deno.test("Known keeps what it knew when the disk fails", async () => {
  let fails = false;
  const space = new Known(
    () => fails ? Promise.reject(new Error("EIO")) : Promise.resolve("full"),
    new FakeClock(),
  );
  await space.refresh();
  fails = true;
  await space.refresh();
  assert.equal(space.current, "full");
});

Deno.test("Known asks again when its answer has become too old", async () => {
  const clock = new FakeClock();
  let asked = 0;
  const known = new Known(() => Promise.resolve(++asked), clock);
  await known.refresh(1_000);
  clock.advance(1_000);
  await known.refresh(1_000);
  assert.equal(known.current, 1);
  clock.advance(1);
  await known.refresh(1_000);
  assert.equal(known.current, 2);
  await known.refresh();
  assert.equal(known.current, 3);
});
