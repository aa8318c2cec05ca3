import assert from "node:assert/strict";
import { FakeClock } from "../clock.ts";
import type { Space } from "../blobs/blob_store.ts";
import { KnownSpace } from "./known_space.ts";

const SPACE: Space = { freeBytes: 1, totalBytes: 2 };

Deno.test("KnownSpace waits for a disk that does not answer for half a second", async () => {
  const clock = new FakeClock();
  const answers: PromiseWithResolvers<Space>[] = [];
  const space = new KnownSpace({
    space() {
      const answer = Promise.withResolvers<Space>();
      answers.push(answer);
      return answer.promise;
    },
  }, clock);
  const first = space.refresh();
  clock.advance(500);
  await first;
  assert.equal(space.current, undefined);
  const second = space.refresh();
  // It has not answered the first time.
  assert.equal(answers.length, 1);
  answers[0]!.resolve(SPACE);
  await second;
  assert.deepEqual(space.current, SPACE);
});

Deno.test("KnownSpace keeps what it knew when the disk fails", async () => {
  let fails = false;
  const space = new KnownSpace({
    space: () =>
      fails ? Promise.reject(new Error("EIO")) : Promise.resolve(SPACE),
  }, new FakeClock());
  await space.refresh();
  fails = true;
  await space.refresh();
  assert.deepEqual(space.current, SPACE);
});
