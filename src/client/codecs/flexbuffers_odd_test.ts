/** Where Rust refuses a value, or reads another one than was meant. */

import assert from "node:assert/strict";
import { flexbuffersKey } from "../keys.ts";
import { encodeError } from "../stored_error.ts";
import {
  CodecError,
  flexbuffers,
  float,
  json,
  messagepack,
  uint,
} from "./mod.ts";
import {
  fromHex,
  oddText,
  type OddVector,
  oddVectors,
  toHex,
} from "./testing/golden.ts";
import { rustSays } from "./testing/rust.ts";

const codec = flexbuffers();
const vectors = oddVectors();

function rust(name: string): OddVector {
  const vector = vectors.get(name);
  assert(vector, `there is no vector ${name}`);
  return vector;
}

/** What Rust makes of what is written here. */
function readByRust(name: string, bytes: Uint8Array): string {
  const { hex, read, readError } = rust(name);
  assert.equal(toHex(bytes), hex, name);
  return read ?? readError!;
}

function isNeitherValueNorKey(value: unknown, reason: RegExp): void {
  for (const write of [codec.encode, flexbuffersKey]) {
    assert.throws(() => write(value), (error) => {
      assert(error instanceof CodecError);
      assert.match(error.reason, reason);
      return true;
    });
  }
}

Deno.test("i128 and u128 are neither values nor keys, in Rust and here", () => {
  for (const name of ["i128", "u128"]) {
    assert.match(rust(name).writeError!, /128 is not supported/);
  }
  for (const beyond of [2n ** 64n, -(2n ** 63n) - 1n, 2n ** 127n]) {
    isNeitherValueNorKey(beyond, /beyond 64 bits/);
    isNeitherValueNorKey({ n: [beyond] }, /^\$\.n\[0\] is a bigint/);
  }
});

Deno.test("maps whose keys are no strings are neither values nor keys, in Rust and here", () => {
  for (const name of ["i32", "bool", "char", "Option"]) {
    assert.equal(rust(`map of ${name}`).writeError, "KeyMustBeString", name);
  }
  for (const key of [7, 7n, uint(7), true, null]) {
    isNeitherValueNorKey(new Map([[key, 1]]), /a key that is no string/);
  }
});

Deno.test("a map by a char, an enum or an integer is read by no Rust, whoever wrote it", () => {
  assert.equal(readByRust("a char key", codec.encode({ x: 1 })), "{'\\0': 1}");
  const red = codec.encode({ Red: 1 });
  assert.match(readByRust("an enum key", red), /^Flexbuffer Read Error/);
  assert.match(
    readByRust("an int key", codec.encode({ 7: 1 })),
    /invalid type: string/,
  );
  // Rust writes the enum's, and cannot read that either; here it can be.
  const { hex, readError } = rust("map of enum");
  assert.equal(hex, toHex(red));
  assert.match(readError!, /UnexpectedFlexbufferType/);
  assert.deepEqual({ ...codec.decode(fromHex(hex!)) as object }, { Red: 1 });
});

Deno.test("a char beyond U+00FF is another char to Rust, in keys, too", () => {
  const { debug, hex, read } = rust("char beyond U+00FF");
  assert.deepEqual([debug, read], ["'ł'", "'B'"]);
  assert.equal(toHex(codec.encode(uint("B".codePointAt(0)!))), hex);
});

Deno.test("2 ** 53 and above are floats, which Rust reads into no integer", () => {
  for (const type of ["u64", "i64"]) {
    assert.match(
      readByRust(`2 ** 53 as ${type}`, codec.encode(2 ** 53)),
      /invalid type: floating point/,
    );
  }
  assert.equal(
    readByRust("2 ** 53 - 1 as u64", codec.encode(2 ** 53 - 1)),
    "9007199254740991",
  );
  assert.equal(
    readByRust("uint(2n ** 53n) as u64", codec.encode(uint(2n ** 53n))),
    "9007199254740992",
  );
});

Deno.test("2 is a float to Rust where a float is wanted, and an integer where either would do", () => {
  const two = codec.encode(2);
  assert.equal(readByRust("2 as f64", two), "2.0");
  assert.equal(readByRust("2 as an untagged float", two), "Whole(2)");
  assert.equal(rust("untagged whole").hex, toHex(two));
  const float2 = codec.encode(float(2));
  const read = readByRust("float(2) as an untagged float", float2);
  assert.equal(read, "Real(2.0)");
  assert.equal(rust("untagged float").hex, toHex(float2));
});

Deno.test("-0 is written as 0, float(-0) as Rust's -0.0", () => {
  assert.equal(readByRust("-0 as f64", codec.encode(-0)), "0.0");
  const minus = codec.encode(float(-0));
  assert.equal(readByRust("float(-0) as f64", minus), "-0.0");
  assert.equal(rust("f64 -0").hex, toHex(minus));
  assert.equal(rust("f64 0").hex, toHex(codec.encode(float(0))));
  assert.notDeepEqual(flexbuffersKey(-0), flexbuffersKey(float(-0)));
});

Deno.test("what Rust nests deeper than 500 is too deep, and not no flexbuffer", () => {
  const deepest = fromHex(rust("nested 500 deep").hex!);
  assert.deepEqual(codec.encode(codec.decode(deepest)), deepest);
  const { hex, read } = rust("nested 501 deep");
  assert.equal(read, "Deep(501)");
  assert.throws(() => codec.decode(fromHex(hex!)), (error) => {
    assert(error instanceof CodecError);
    assert.match(error.reason, /nested deeper than 500/);
    assert.doesNotMatch(error.reason, /no flexbuffer/);
    return true;
  });
});

Deno.test("a Result is kept as { Ok } or { Err }, and neither is read as what is bare", () => {
  for (
    const [name, value] of [
      ["Ok", { Ok: uint(7) }],
      ["Err", { Err: "no" }],
      ["bare", uint(7)],
    ] as const
  ) {
    assert.equal(toHex(codec.encode(value)), rust(name).hex, name);
  }
  const ok = codec.encode({ Ok: uint(7) });
  assert.match(readByRust("Ok as bare", ok), /^Serde Error: invalid type: map/);
  assert.match(
    readByRust("bare as Ok", codec.encode(uint(7))),
    /UnexpectedFlexbufferType/,
  );
});

Deno.test("kept errors and JSON are errors to Rust, whatever it wants; other bytes are, but for chance", () => {
  const error = encodeError(new RangeError("no"));
  for (
    const [name, bytes] of [
      ["a kept error", error],
      ["JSON", json().encode({ a: 7 })],
      ["MessagePack", messagepack().encode({ a: 7 })],
      ["bytes", Uint8Array.of(1, 2, 3)],
    ] as const
  ) {
    assert.match(readByRust(name, bytes), /InvalidRootWidth/, name);
  }
  const list = messagepack().encode([5, 8, 1]);
  assert.equal(readByRust("MessagePack, by chance", list), "5");
  assert.equal(readByRust("bytes, by chance", Uint8Array.of(5, 8, 1)), "5");
  // JSON ends in no byte that could be the width of a flexbuffer's root.
  for (const value of [{}, [], "", 8, -0.5, true, null, "\u0001\u0008"]) {
    const last = json().encode(value).at(-1)!;
    assert(![1, 2, 4, 8].includes(last), JSON.stringify(value));
  }
});

Deno.test("Rust says the same of all of them today", () => {
  const said = rustSays("odd");
  if (said !== undefined) assert.equal(said, oddText());
});
