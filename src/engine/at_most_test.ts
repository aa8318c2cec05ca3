import assert from "node:assert/strict";
import { AtMost } from "./at_most.ts";

Deno.test("so much goes on at once, in order, whatever becomes of it", async () => {
  const gate = new AtMost(2);
  const log: string[] = [];
  const ends: PromiseWithResolvers<void>[] = [];
  const done = ["a", "b", "c", "d"].map((name) => {
    const end = Promise.withResolvers<void>();
    ends.push(end);
    return gate.run(() => {
      log.push(name);
      return end.promise;
    }).catch((error) => log.push(`${name}: ${error}`));
  });
  await Promise.resolve();
  assert.deepEqual(log, ["a", "b"]);
  ends[1]!.reject("no");
  await done[1];
  await Promise.resolve();
  assert.deepEqual(log.sort(), ["a", "b", "b: no", "c"]);
  for (const { resolve } of ends) resolve();
  await Promise.all(done);
  assert.deepEqual(log.sort(), ["a", "b", "b: no", "c", "d"]);
  await gate.run(() => Promise.resolve());
});
