import assert from "node:assert/strict";
import { CodecError, flexbuffers, float, uint } from "./mod.ts";
import {
  fromHex,
  randomVectors,
  record,
  toHex,
  typedVectors,
  valuesOf,
} from "./testing/golden.ts";
import { rustReads } from "./testing/rust.ts";

const codec = flexbuffers();

/** The largest number that a u64 holds. */
const U64_MAX = 2n ** 64n - 1n;
const F32_TENTH = Math.fround(0.1);
const point = (x: number, y: number) => ({ x, y });
const shape = { Struct: { w: 0.1, h: F32_TENTH } };

/**
 * For each Rust type what to write to get the same bytes and, where that is not
 * what is read, what is read. docs/FLEXBUFFERS.md has the same as a table.
 */
const CASES: Record<string, { write: unknown; read?: unknown }> = {
  "unit": { write: null },
  "unit struct": { write: null },
  "bool": { write: true },
  "i8": { write: -128 },
  "i32 small": { write: 5 },
  "i32": { write: -70_000 },
  "i64 min": { write: -(2n ** 63n) },
  "i64 2^53": { write: 2n ** 53n + 1n },
  "u8": { write: uint(200), read: 200 },
  "u32 small": { write: uint(5), read: 5 },
  "u64 max": { write: U64_MAX },
  "f32 one": { write: float(1), read: 1 },
  "f32": { write: F32_TENTH },
  "f64 half": { write: 0.5 },
  "f64": { write: 0.1 },
  "f64 minus zero": { write: float(-0), read: -0 },
  "f64 infinity": { write: Infinity },
  "char": { write: uint("é".codePointAt(0)!), read: 0xe9 },
  "String": { write: "héllo 😂 wörld" },
  "String empty": { write: "" },
  "String with NUL": { write: "a\0b" },
  "bytes": { write: new Uint8Array([1, 2, 0, 255]) },
  "bytes empty": { write: new Uint8Array() },
  "Option None": { write: null },
  "Option Some": { write: 5 },
  "newtype struct": { write: 2.5 },
  "Vec<i32>": { write: [1, -2, 300, 4, 5] },
  "Vec<i32> of one": { write: [1] },
  "Vec<i32> of three": { write: new Int32Array([1, 2, 3]), read: [1, 2, 3] },
  "Vec<i64>": { write: [1, -(2n ** 63n)] },
  "Vec<u8>": {
    write: [1, 2, 3, 4, 255].map(uint),
    read: [1, 2, 3, 4, 255],
  },
  "Vec<u64>": {
    write: new BigUint64Array([1n, U64_MAX]),
    read: [1, U64_MAX],
  },
  "Vec<f32>": { write: new Float32Array([0.1, 1]), read: [F32_TENTH, 1] },
  "Vec<f64>": {
    write: new Float64Array([0.5, 0.1, 1, 0, -2]),
    read: [0.5, 0.1, 1, 0, -2],
  },
  "Vec<bool>": { write: [true, false, true] },
  "Vec<String>": { write: ["a", "", "a"] },
  "Vec<Option<f64>>": { write: [0.1, null, 0.5] },
  "Vec<()>": { write: [null, null] },
  "Vec<Vec<u8>>": {
    write: [[], [uint(1)], [uint(1), uint(2)]],
    read: [[], [1], [1, 2]],
  },
  "Vec<bytes>": { write: [new Uint8Array([1]), new Uint8Array()] },
  "Vec empty": { write: [] },
  "array": { write: new Uint16Array([1, 2, 3, 400]), read: [1, 2, 3, 400] },
  "tuple of one kind": { write: [1, -2] },
  "tuple": { write: [1, 0.1, "x", true] },
  "tuple struct": { write: ["x", uint(5)], read: ["x", 5] },
  "struct": { write: point(1, -2) },
  "struct empty": { write: {} },
  "struct of many": {
    write: {
      name: "größe",
      count: U64_MAX,
      ratio: 0.1,
      tags: ["a", "b", "a"],
      at: point(1, -1),
      kind: { Newtype: uint(7) },
      raw: new Uint8Array([0, 255]),
      ok: true,
    },
    read: {
      name: "größe",
      count: U64_MAX,
      ratio: 0.1,
      tags: ["a", "b", "a"],
      at: point(1, -1),
      kind: { Newtype: 7 },
      raw: new Uint8Array([0, 255]),
      ok: true,
    },
  },
  "struct nested": {
    write: {
      points: [point(1, 2), point(300, 4)],
      inner: { x: [uint(1), null], "é": [] },
    },
    read: {
      points: [point(1, 2), point(300, 4)],
      inner: { x: [1, null], "é": [] },
    },
  },
  "enum unit": { write: "Unit" },
  "enum newtype": { write: { Newtype: uint(7) }, read: { Newtype: 7 } },
  "enum tuple": { write: { Tuple: [-1, "x"] } },
  "enum struct": { write: shape },
  "enum tagged": { write: { kind: "Circle", r: 0.5 } },
  "enum untagged": { write: "x" },
  "struct flattened": { write: { z: 1, ...point(1, -2) } },
  "Vec<enum>": {
    write: ["Unit", { Newtype: uint(1) }, shape, shape],
    read: ["Unit", { Newtype: 1 }, shape, shape],
  },
  "Vec<struct>": { write: [point(1, 2), point(3, 4), point(300, 70_000)] },
  "BTreeMap": { write: { a: 2, b: 1, "\ufb33": 3, "😂": 4 } },
  "BTreeMap empty": { write: new Map(), read: {} },
  "HashMap of one": {
    write: new Map([["__proto__", true]]),
    read: record([["__proto__", true]]),
  },
};

/** Objects without prototypes, as the codec gives them back. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare);
  if (
    typeof value !== "object" || value === null || value instanceof Uint8Array
  ) return value;
  return record(Object.entries(value).map(([key, item]) => [key, bare(item)]));
}

Deno.test("flexbuffers of every Rust type are written byte for byte, and read", () => {
  const vectors = typedVectors();
  assert.deepEqual(vectors.map(({ name }) => name), Object.keys(CASES));
  for (const { name, hex } of vectors) {
    const { write, read = write } = CASES[name]!;
    assert.equal(toHex(codec.encode(write)), hex, name);
    assert.deepStrictEqual(codec.decode(fromHex(hex)), bare(read), name);
  }
});

Deno.test("flexbuffers of 604 values from Rust's generator are written byte for byte, and read", () => {
  const vectors = randomVectors();
  assert.equal(vectors.length, 604);
  for (const { tree, bytes } of vectors) {
    const { write, read } = valuesOf(tree);
    assert.equal(toHex(codec.encode(write)), toHex(bytes));
    assert.deepStrictEqual(codec.decode(bytes), read);
    // What is read is a view of nothing: a pool may reuse the bytes.
    const copy = bytes.slice();
    const value = codec.decode(copy);
    copy.fill(0);
    assert.deepStrictEqual(value, read);
  }
});

Deno.test("flexbuffers are read where they lie in a larger buffer", () => {
  for (const { tree, bytes } of randomVectors().slice(0, 50)) {
    const larger = new Uint8Array(bytes.length + 8).fill(0xff);
    larger.set(bytes, 5);
    const view = larger.subarray(5, 5 + bytes.length);
    assert.deepStrictEqual(codec.decode(view), valuesOf(tree).read);
  }
});

Deno.test("an order of fields that is not Rust's makes another flexbuffer", () => {
  const rust = codec.encode({ x: 1, y: -2 });
  const other = codec.encode({ y: -2, x: 1 });
  assert.notEqual(toHex(rust), toHex(other));
  assert.deepEqual(codec.decode(rust), codec.decode(other));
});

Deno.test("Rust reads what is written, and writes the same", () => {
  const vectors = typedVectors();
  const answers = rustReads([
    ...vectors.map(({ name }) => ({
      name,
      bytes: codec.encode(CASES[name]!.write),
    })),
    ...randomVectors().map(({ tree }) => ({
      name: "any",
      bytes: codec.encode(valuesOf(tree).write),
    })),
    // Whole numbers where Rust has other types: read, though not as a key.
    { name: "u32 small", bytes: codec.encode(5) },
    { name: "f32 one", bytes: codec.encode(1) },
    { name: "Vec<u8>", bytes: codec.encode([1, 2, 3, 4, 255]) },
  ]);
  if (answers === undefined) return;
  vectors.forEach(({ debug, hex }, at) => {
    assert.deepEqual(answers[at], { debug, again: hex });
  });
  const random = answers.slice(vectors.length, -3);
  randomVectors().forEach(({ tree }, at) => {
    // By value: what has been read has its keys in the order of maps.
    const again = codec.decode(fromHex(random[at]!.again!));
    assert.deepStrictEqual(again, valuesOf(tree).read);
  });
  assert.deepEqual(
    answers.slice(-3).map(({ debug }) => debug),
    ["5", "1.0", "[1, 2, 3, 4, 255]"],
  );
});

Deno.test("what has no flexbuffer is refused by name and place", () => {
  const cyclic: unknown[] = [];
  cyclic.push(cyclic);
  for (
    const [value, reason] of [
      [undefined, "$ is undefined, which a flexbuffer cannot say"],
      [{ a: [1, undefined] }, "$.a[1] is undefined"],
      [{ a: { b: () => 1 } }, "$.a.b is a function"],
      [[new Date(0)], "$[0] is a Date"],
      [new Set([1]), "$ is a Set"],
      [new Map([[1, 2]]), "$ is a Map with a key that is no string"],
      [{ n: 2n ** 64n }, "$.n is a bigint beyond 64 bits"],
      [{ n: -(2n ** 63n) - 1n }, "$.n is a bigint beyond 64 bits"],
      [["\ud800"], "$[0] is a string with half a surrogate pair"],
      [{ "\udc00": 1 }, "$ has a key that is a string with half"],
      [{ "a\0b": 1 }, "$ has a key with a NUL"],
      [{ [Symbol("s")]: 1 }, "$ has a key that is a symbol"],
      [new Uint8ClampedArray(2), "$ is a Uint8ClampedArray"],
      [cyclic, "nested deeper than 500, or contains itself"],
    ] as [unknown, string][]
  ) {
    assert.throws(() => codec.encode(value), (error) => {
      assert(error instanceof CodecError && error instanceof TypeError);
      assert.equal(error.codec, "flexbuffers");
      assert(error.reason.includes(reason), error.reason);
      return true;
    });
  }
});

Deno.test("uint takes whole numbers of 64 bits only", () => {
  for (const wrong of [-1, 0.5, NaN, 2 ** 53, -1n, 2n ** 64n]) {
    assert.throws(() => uint(wrong), RangeError);
  }
});
