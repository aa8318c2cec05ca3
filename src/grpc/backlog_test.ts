import assert from "node:assert/strict";
import fc from "fast-check";
import { join } from "../http2/testing/octets.ts";
import { Backlog } from "./backlog.ts";

Deno.test("what is appended comes out in order, whatever is taken at a time", () => {
  const step = fc.oneof(
    fc.record({ append: fc.uint8Array({ maxLength: 40 }) }),
    fc.record({ take: fc.nat({ max: 30 }) }),
  );
  fc.assert(fc.property(fc.array(step), (steps) => {
    const backlog = new Backlog();
    let expected = new Uint8Array(0);
    for (const one of steps) {
      if ("append" in one) {
        backlog.append(one.append);
        expected = join(expected, one.append);
        one.append.fill(0);
      } else {
        backlog.consume((first) => {
          const taken = Math.min(one.take, first.length);
          assert.deepEqual(first.slice(0, taken), expected.slice(0, taken));
          expected = expected.slice(taken);
          return taken;
        });
      }
      assert.equal(backlog.isEmpty, expected.length === 0);
    }
  }));
});

Deno.test("tiny pieces share chunks", () => {
  const backlog = new Backlog();
  for (let piece = 0; piece < 20_000; piece++) {
    backlog.append(new Uint8Array(1));
  }
  let chunks = 0;
  for (; !backlog.isEmpty; chunks++) backlog.consume((first) => first.length);
  assert.ok(chunks < 20, `${chunks} chunks`);
});
