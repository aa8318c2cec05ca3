import assert from "node:assert/strict";
import { publishRequests } from "./v1_requests.ts";

Deno.test("when a publish is given up midway: whoever makes its pieces is told", async () => {
  const told = Promise.withResolvers<void>();
  async function* endless() {
    try {
      for (;;) yield new Uint8Array(1);
    } finally {
      told.resolve();
    }
  }
  const requests = publishRequests("1", endless(), {});
  await requests.next();
  const { value } = await requests.next();
  assert.deepEqual(value, { chunk: new Uint8Array(1) });
  await requests.return();
  await told.promise;
});
