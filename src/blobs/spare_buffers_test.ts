import assert from "node:assert/strict";
import { SpareBuffers } from "./spare_buffers.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

Deno.test("what was given serves again, for as many pages", () => {
  const spare = new SpareBuffers();
  const first = spare.take(100 * KIB - 5);
  first.fill(7);
  const { buffer } = first;
  spare.give(buffer);
  assert.equal(spare.bytes, 100 * KIB);
  assert.notEqual(spare.take(96 * KIB).buffer, buffer);
  const again = spare.take(100 * KIB);
  assert.equal(again.buffer, buffer);
  assert.equal(again.length, 100 * KIB);
  assert.equal(spare.bytes, 0);
  assert.notEqual(spare.take(100 * KIB).buffer, buffer);
});

Deno.test("the oldest of too many are freed, and those that never fit", () => {
  const spare = new SpareBuffers();
  const buffers = Array.from({ length: 7 }, () => spare.take(2 * MIB).buffer);
  for (const buffer of buffers) spare.give(buffer);
  assert.equal(spare.bytes, 6 * 2 * MIB);
  assert.deepEqual(
    buffers.map(({ detached }) => detached),
    [true, ...Array(6).fill(false)],
  );
  for (const bytes of [10, 100_001, 13 * MIB]) {
    const buffer = new ArrayBuffer(bytes);
    spare.give(buffer);
    assert(buffer.detached, `${bytes}`);
  }
  assert.equal(spare.bytes, 6 * 2 * MIB);
});

Deno.test("all are freed when their memory is wanted", () => {
  const spare = new SpareBuffers();
  const { buffer } = spare.take(2 * MIB);
  spare.give(buffer);
  spare.clear();
  assert(buffer.detached);
  assert.equal(spare.bytes, 0);
});
