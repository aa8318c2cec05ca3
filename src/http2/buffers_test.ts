/** Buffers that are lent. */

import assert from "node:assert/strict";
import { BufferPool } from "./buffers.ts";

Deno.test("so many are lent, so many kept, and each comes back once", () => {
  const pool = new BufferPool(8, { most: 3, keep: 1 });
  const [first, second, third] = [pool.take()!, pool.take()!, pool.take()!];
  assert.equal(pool.take(), undefined);
  assert.equal(pool.lent, 3);
  pool.give(second);
  pool.give(third);
  assert.equal(pool.take(), second);
  assert.notEqual(pool.take(), third);
  pool.give(first);
  assert.equal(pool.lent, 2);
});

Deno.test("a buffer of another size is none of the pool's", () => {
  const pool = new BufferPool(8, { most: 3, keep: 3 });
  pool.give(new Uint8Array(9));
  assert.equal(pool.lent, 0);
});
