import assert from "node:assert/strict";
import { FakeClock } from "../clock.ts";
import { SpareBuffers } from "./spare_buffers.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

Deno.test("what was given serves again, for as many pages", () => {
  using spare = new SpareBuffers(new FakeClock());
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
  using spare = new SpareBuffers(new FakeClock());
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
  using spare = new SpareBuffers(new FakeClock());
  const { buffer } = spare.take(2 * MIB);
  spare.give(buffer);
  spare.clear();
  assert(buffer.detached);
  assert.equal(spare.bytes, 0);
});

Deno.test("what nobody took for a second is freed, and what is in use is kept", () => {
  const clock = new FakeClock();
  using spare = new SpareBuffers(clock);
  const buffers = Array.from({ length: 3 }, () => spare.take(2 * MIB).buffer);
  for (const buffer of buffers) spare.give(buffer);
  // One caller: of the three it needs the last one only.
  for (let i = 0; i < 4; i++) {
    clock.advance(500);
    spare.give(spare.take(2 * MIB).buffer);
  }
  assert.equal(spare.bytes, 2 * MIB);
  assert.deepEqual(buffers.map(({ detached }) => detached), [
    true,
    true,
    false,
  ]);
  clock.advance(2_000);
  assert.equal(spare.bytes, 0);
  assert(buffers.every(({ detached }) => detached));
  // It goes on as before.
  const { buffer } = spare.take(2 * MIB);
  spare.give(buffer);
  assert.equal(spare.take(2 * MIB).buffer, buffer);
});
