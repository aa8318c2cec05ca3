import assert from "node:assert/strict";
import { FakeClock } from "./clock.ts";
import { DiskTrouble } from "./disk_trouble.ts";

/** Everything is, but for one kind. */
function isTrouble(error: unknown): error is Error {
  return error instanceof Error && !(error instanceof RangeError);
}

Deno.test("DiskTrouble lasts from a failed write to a rehearsal that succeeds", async () => {
  const rehearsal = Promise.withResolvers<void>();
  let rehearsals = 0;
  const trouble = new DiskTrouble({
    rehearse() {
      rehearsals++;
      return rehearsal.promise;
    },
    isTrouble,
    clock: new FakeClock(),
  });
  const full = new Error("no space");
  for (let i = 0; i < 3; i++) {
    await assert.rejects(trouble.watch(Promise.reject(full)), full);
  }
  assert.equal(trouble.current, full);
  assert.equal(rehearsals, 1, "one at a time");
  rehearsal.resolve();
  await rehearsal.promise;
  await Promise.resolve();
  assert.equal(trouble.current, undefined);
});

Deno.test("DiskTrouble is none where only one client or one name is to blame", async () => {
  const trouble = new DiskTrouble({
    rehearse: () => assert.fail("nothing to rehearse"),
    isTrouble,
    clock: new FakeClock(),
  });
  const failing = Promise.reject(new RangeError("its own"));
  await assert.rejects(trouble.watch(failing), RangeError);
  assert.equal(await trouble.watch(Promise.resolve(1)), 1);
  assert.equal(trouble.current, undefined);
});

Deno.test("DiskTrouble goes on, and tries again, while rehearsals fail", async () => {
  let fails = true;
  let tried = 0;
  const clock = new FakeClock();
  const trouble = new DiskTrouble({
    rehearse() {
      tried++;
      return fails ? Promise.reject(new Error("still")) : Promise.resolve();
    },
    isTrouble,
    clock,
  });
  await assert.rejects(trouble.watch(Promise.reject(new Error("first"))));
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(trouble.current?.message, "still");
  assert.equal(tried, 1);
  fails = false;
  clock.advance(1_000);
  assert.equal(tried, 2);
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(trouble.current, undefined);
  trouble.close();
});
