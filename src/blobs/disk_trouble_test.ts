import assert from "node:assert/strict";
import { FakeClock } from "../clock.ts";
import { BlobError } from "./blob_store.ts";
import { rejectsWith } from "./testing/blob_store_contract.ts";
import { DiskTrouble } from "./disk_trouble.ts";

Deno.test("DiskTrouble lasts from a failed write to a rehearsal that succeeds", async () => {
  const rehearsal = Promise.withResolvers<void>();
  let rehearsals = 0;
  const trouble = new DiskTrouble(() => {
    rehearsals++;
    return rehearsal.promise;
  }, new FakeClock());
  const full = new BlobError("full", "no space");
  for (let i = 0; i < 3; i++) {
    await rejectsWith(trouble.watch(Promise.reject(full)), "full");
  }
  assert.equal(trouble.current, full);
  assert.equal(rehearsals, 1, "one at a time");
  rehearsal.resolve();
  await rehearsal.promise;
  await Promise.resolve();
  assert.equal(trouble.current, undefined);
});

Deno.test("DiskTrouble is none where only one client or one name is to blame", async () => {
  const trouble = new DiskTrouble(
    () => assert.fail("nothing to rehearse"),
    new FakeClock(),
  );
  for (const code of ["missing", "not-a-file", "foreign", "damaged"] as const) {
    const failing = Promise.reject(new BlobError(code, code));
    await rejectsWith(trouble.watch(failing), code);
  }
  assert.equal(await trouble.watch(Promise.resolve(1)), 1);
  assert.equal(trouble.current, undefined);
});

Deno.test("DiskTrouble goes on, and tries again, while rehearsals fail", async () => {
  let fails = true;
  let tried = 0;
  const clock = new FakeClock();
  const trouble = new DiskTrouble(() => {
    tried++;
    return fails
      ? Promise.reject(new BlobError("failed", "still"))
      : Promise.resolve();
  }, clock);
  await rejectsWith(
    trouble.watch(Promise.reject(new BlobError("failed", "first"))),
    "failed",
  );
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
