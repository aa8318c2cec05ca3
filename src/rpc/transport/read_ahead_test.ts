import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { readOneByOne } from "./read_ahead.ts";

Deno.test("one message is fetched ahead, and no more", async () => {
  let fetched = 0;
  const call = new Readable({
    objectMode: true,
    read() {
      const message = fetched++ < 20 ? { fetched } : null;
      setTimeout(() => this.push(message));
    },
  });
  let taken = 0;
  for await (const message of readOneByOne(call)) {
    assert.deepEqual(message, { fetched: ++taken });
    for (let turn = 0; turn < 3; turn++) {
      await new Promise((resolve) => setTimeout(resolve));
    }
    assert.ok(fetched <= taken + 1, `${fetched} when ${taken} were taken`);
  }
  assert.equal(taken, 20);
});
