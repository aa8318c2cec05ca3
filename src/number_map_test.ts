import assert from "node:assert/strict";
import fc from "fast-check";
import { NumberMap } from "./number_map.ts";

// Near each other, far apart, and some that want the same place.
const key = fc.oneof(
  fc.integer({ min: 0, max: 40 }),
  fc.integer({ min: 0, max: 20 }).map((n) => n * 2 ** 32 + 7),
  fc.maxSafeNat(),
);
const change = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constant("set"), key) },
  { weight: 4, arbitrary: fc.tuple(fc.constant("delete"), key) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("clear"), key) },
);

Deno.test("holds what a Map holds, whatever was set and removed before", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 300 }), (changes) => {
      const map = new Map<number, number>();
      const numbers = new NumberMap<number>();
      for (const [at, [what, key]] of changes.entries()) {
        if (what === "set") {
          map.set(key, at);
          numbers.set(key, at);
        } else if (what === "delete") {
          assert.equal(numbers.delete(key), map.delete(key));
        } else {
          map.clear();
          numbers.clear();
        }
        assert.equal(numbers.size, map.size);
        assert.equal(numbers.has(key), map.has(key));
      }
      const inOrder = [...map].sort(([a], [b]) => a - b);
      for (const [key, value] of map) assert.equal(numbers.get(key), value);
      assert.deepEqual(numbers.keys(), inOrder.map(([key]) => key));
      assert.deepEqual(numbers.values(), inOrder.map(([, value]) => value));
    }),
  );
});

Deno.test("many that come and go in turn leave nothing behind", () => {
  const numbers = new NumberMap<object>();
  for (let key = 0; key < 100_000; key++) {
    numbers.set(key, {});
    if (key >= 1_000) assert.equal(numbers.delete(key - 1_000), true);
  }
  assert.equal(numbers.size, 1_000);
  for (const key of numbers.keys()) numbers.delete(key);
  assert.deepEqual([numbers.size, numbers.values()], [0, []]);
});
