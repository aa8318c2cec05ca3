import assert from "node:assert/strict";
import fc from "fast-check";
import { CodecError, flexbuffers } from "./mod.ts";
import { fromHex, randomVectors, typedVectors } from "./testing/golden.ts";

const codec = flexbuffers();
const SMALL = [
  ...typedVectors().map(({ hex }) => fromHex(hex)),
  ...randomVectors().map(({ bytes }) => bytes),
].filter(({ length }) => length < 2_000);

/** Reads bytes that may be anything: a value or a CodecError. */
function tolerates(bytes: Uint8Array): boolean {
  try {
    codec.decode(bytes);
    return true;
  } catch (error) {
    assert(error instanceof CodecError, String(error));
    return false;
  }
}

function refuses(hex: string, reason: string): void {
  assert.throws(() => codec.decode(fromHex(hex)), (error) => {
    assert(error instanceof CodecError);
    assert(error.reason.includes(reason), error.reason);
    return true;
  });
}

Deno.test("random bytes are read as a value or refused", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 40 }),
      fc.integer({ min: 0, max: 36 }),
      fc.integer({ min: 0, max: 3 }),
      fc.constantFrom(1, 2, 4, 8),
      (bytes, type, width, root) => {
        tolerates(bytes);
        tolerates(new Uint8Array([...bytes, type << 2 | width, root]));
      },
    ),
    { numRuns: 5_000 },
  );
});

Deno.test("flipped bits are read as a value or refused", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...SMALL),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), {
        minLength: 1,
        maxLength: 4,
      }),
      (vector, flips) => {
        const bytes = vector.slice();
        for (const [at, bits] of flips) bytes[at % bytes.length]! ^= bits;
        tolerates(bytes);
      },
    ),
    { numRuns: 5_000 },
  );
});

Deno.test("a flexbuffer without its beginning or its end is read as a value or refused", () => {
  let refused = 0;
  for (const vector of SMALL.filter(({ length }) => length < 200)) {
    for (let cut = 1; cut < vector.length; cut++) {
      if (!tolerates(vector.subarray(0, cut))) refused++;
      if (!tolerates(vector.subarray(cut))) refused++;
    }
  }
  assert(refused > 1_000, `only ${refused}`);
});

Deno.test("what is malformed is refused with its reason", () => {
  refuses("", "shorter");
  refuses("0001", "shorter");
  refuses("000403", "3 is no width");
  refuses("000408", "an address is out of it");
  refuses("052801", "an offset points out of it");
  refuses("006404", "an address");
  refuses("05000c01", "narrower");
  refuses("00007c01", "type 31");
  // "x": its NUL, its UTF-8.
  refuses("017841021401", "a string does not end");
  refuses("01ff00021401", "no UTF-8");
  // [true, 5]: said to be three.
  refuses("0301056804042801", "reaches past");
  // { x: 1, y: -2 }: the number of keys, where they are, how wide they are.
  refuses("7800790001050402010201fe0404042401", "as many keys");
  refuses("7800790002010402010201fe0404042401", "a key does not end");
  refuses("7800790002050602010201fe0404042401", "twice");
  refuses("7800790002050402030201fe0404042401", "3 is no width");
  // The deprecated vector of strings, which the npm library writes.
  refuses("0161000103023c01", "type 15");
});

Deno.test("nesting has a bound, in what is written too", () => {
  let value: unknown = 0;
  for (let depth = 0; depth < 500; depth++) value = [value];
  const deepest = codec.encode(value);
  assert.deepEqual(codec.decode(deepest), value);
  assert.throws(() => codec.encode([value]), /nested deeper than 500/);
  // As deep as bytes allow: each vector holds the one before it.
  const bytes = [0];
  for (let depth = 0; depth < 100_000; depth++) bytes.push(1, 3, 40);
  bytes.push(2, 40, 1);
  assert.throws(() => codec.decode(new Uint8Array(bytes)), CodecError);
});

Deno.test("a small buffer cannot become a large value", () => {
  // Twenty vectors, each of eight times the one before it: 8^20 numbers.
  const bytes = [8, 0, 0, 0, 0, 0, 0, 0, 0];
  let address = 1;
  let type = 11 << 2;
  for (let level = 0; level < 20; level++) {
    bytes.push(8);
    const start = bytes.length;
    for (let at = 0; at < 8; at++) bytes.push(start + at - address);
    for (let at = 0; at < 8; at++) bytes.push(type);
    address = start;
    type = 10 << 2;
  }
  bytes.push(bytes.length - address, type, 1);
  assert.throws(() => codec.decode(new Uint8Array(bytes)), /shared/);
});

Deno.test("a long key is looked through once, however many maps have it", () => {
  let searches = 0;
  class Watched extends Uint8Array {
    override indexOf(byte: number, from?: number): number {
      searches++;
      return super.indexOf(byte, from);
    }
  }
  const key = "k".repeat(999);
  const value = Array.from({ length: 100 }, (_, at) => ({ [key]: at }));
  const bytes = Watched.from(codec.encode(value));
  assert.equal((codec.decode(bytes) as unknown[]).length, 100);
  assert.equal(searches, 1);
});

Deno.test("a key that is also the beginning of a string is not the string", () => {
  // ["a\0b", { a: 1 }], with the key at the address of the string.
  const bytes = fromHex("036100620001050101010104020c041424042801");
  assert.deepEqual(
    JSON.stringify(codec.decode(bytes)),
    JSON.stringify(["a\0b", { a: 1 }]),
  );
});

Deno.test("a key __proto__ pollutes nothing", () => {
  const map = codec.encode(new Map([["__proto__", new Map([["x", 1]])]]));
  const read = codec.decode(map) as Record<string, unknown>;
  assert.equal(Object.getPrototypeOf(read), null);
  assert.deepEqual(Object.keys(read), ["__proto__"]);
  assert.equal("x" in read, false);
});
