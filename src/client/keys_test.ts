import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { LarderError } from "../errors.ts";
import { MAX_KEY_BYTES } from "../limits.ts";
import { CodecError, type JsonValue, uint } from "./codecs/mod.ts";
import { toHex, typedVectors } from "./codecs/testing/golden.ts";
import { canonicalJson, flexbuffersKey, keyBytes } from "./keys.ts";

// RFC 8785, sections 3.2.2 to 3.2.4: the example and its UTF-8 in hex.
const EXAMPLE = `{
  "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
  "string": "\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\"\\/",
  "literals": [null, true, false]
}`;
const EXAMPLE_HEX =
  "7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c226e756d" +
  "62657273223a5b3333333333333333332e333333333333332c31652b33302c342e35" +
  "2c302e3030322c31652d32375d2c22737472696e67223a22e282ac245c7530303066" +
  "5c6e4127425c225c5c5c5c5c222f227d";

// RFC 8785, section 3.2.3: members sorted by UTF-16 code units.
const SORTING = `{
  "\\u20ac": "Euro Sign", "\\r": "Carriage Return",
  "\\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
  "\\ud83d\\ude00": "Emoji: Grinning Face", "\\u0080": "Control",
  "\\u00f6": "Latin Small Letter O With Diaeresis"
}`;
const SORTED = [
  ...["Carriage Return", "One", "Control"],
  ...["Latin Small Letter O With Diaeresis", "Euro Sign"],
  ...["Emoji: Grinning Face", "Hebrew Letter Dalet With Dagesh"],
];

// RFC 8785, appendix B: the bits of a double, and how it is written.
const NUMBERS: Record<string, string> = {
  "0000000000000000": "0",
  "8000000000000000": "0",
  "0000000000000001": "5e-324",
  "8000000000000001": "-5e-324",
  "7fefffffffffffff": "1.7976931348623157e+308",
  "ffefffffffffffff": "-1.7976931348623157e+308",
  "4340000000000000": "9007199254740992",
  "c340000000000000": "-9007199254740992",
  "4430000000000000": "295147905179352830000",
  "44b52d02c7e14af5": "9.999999999999997e+22",
  "44b52d02c7e14af6": "1e+23",
  "44b52d02c7e14af7": "1.0000000000000001e+23",
  "444b1ae4d6e2ef4e": "999999999999999700000",
  "444b1ae4d6e2ef4f": "999999999999999900000",
  "444b1ae4d6e2ef50": "1e+21",
  "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
  "3eb0c6f7a0b5ed8d": "0.000001",
  "41b3de4355555553": "333333333.3333332",
  "41b3de4355555554": "333333333.33333325",
  "41b3de4355555555": "333333333.3333333",
  "41b3de4355555556": "333333333.3333334",
  "41b3de4355555557": "333333333.33333343",
  "becbf647612f3696": "-0.0000033333333333333333",
  "43143ff3c1cb0959": "1424953923781206.2",
};

function double(bits: string): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(`0x${bits}`));
  return view.getFloat64(0);
}

function keyOf(value: unknown): string {
  return toHex(keyBytes(value as JsonValue));
}

Deno.test("JSON keys are canonical as RFC 8785 shows it", () => {
  const example = canonicalJson(JSON.parse(EXAMPLE));
  assert.equal(toHex(new TextEncoder().encode(example)), EXAMPLE_HEX);
  const sorted = JSON.parse(SORTING);
  const text = canonicalJson(sorted);
  const places = SORTED.map((name) => text.indexOf(`"${name}"`));
  assert(!places.includes(-1));
  assert.deepEqual(places, [...places].sort((a, b) => a - b));
  for (const [bits, written] of Object.entries(NUMBERS)) {
    assert.equal(canonicalJson(double(bits)), written, bits);
  }
});

Deno.test("a JSON key is the SHA-256 of its canonical form", () => {
  const sha256 = createHash("sha256").update('{"a":[1,"é"],"b":null}');
  assert.equal(keyOf({ b: null, a: [1.0, "é"] }), sha256.digest("hex"));
});

Deno.test("what is the same to JSON is one key, what is not is another", () => {
  assert.equal(keyOf({ a: 1, b: 2 }), keyOf({ b: 2, a: 1 }));
  assert.equal(keyOf(JSON.parse("1.0")), keyOf(1));
  assert.equal(keyOf(-0), keyOf(0));
  assert.equal(
    keyOf(Object.assign(Object.create(null), { a: 1 })),
    keyOf({ a: 1 }),
  );
  const all = [null, false, 0, "", "0", [], {}, [null], { a: null }, [0, 1], [
    1,
    0,
  ]];
  assert.equal(new Set(all.map(keyOf)).size, all.length);
  assert.notEqual(keyOf("\u00e9"), keyOf("e\u0301"));
  const hidden = JSON.parse('{"__proto__":1}');
  assert.notEqual(keyOf(hidden), keyOf({}));
});

Deno.test("what JSON would drop or change makes no key", () => {
  const cyclic: unknown[] = [];
  cyclic.push({ cyclic });
  for (
    const [value, reason] of [
      [undefined, "$ is undefined"],
      [{ a: undefined }, "$.a is undefined"],
      [[1, , 3], "$[1] is undefined"],
      [{ a: [NaN] }, "$.a[0] is NaN"],
      [-Infinity, "$ is -Infinity"],
      [1n, "$ is a bigint"],
      [() => 1, "$ is a function"],
      [{ [Symbol("s")]: 1 }, "$ has a key that is a symbol"],
      [new Date(0), "$ is a Date"],
      [new Map(), "$ is a Map"],
      [{ toJSON: () => "x" }, "$.toJSON is a function"],
      [Object(1), "$ is a Number"],
      [new Uint16Array(1), "$ is a Uint16Array"],
      ["\ud800", "surrogate"],
      [{ "\udc00": 1 }, "surrogate"],
      [cyclic, "contains itself"],
    ] as [unknown, string][]
  ) {
    assert.throws(() => keyOf(value), (error) => {
      assert(error instanceof CodecError);
      assert(error.message.includes(reason), error.message);
      return true;
    });
  }
});

Deno.test("bytes are a key as they are, up to the server's limit", () => {
  const largest = new Uint8Array(MAX_KEY_BYTES);
  assert.equal(keyBytes(largest), largest);
  assert.equal(keyBytes(new Uint8Array()).length, 0);
  assert.throws(() => keyBytes(new Uint8Array(MAX_KEY_BYTES + 1)), (error) => {
    assert(error instanceof LarderError && error.code === "key-too-large");
    assert.match(error.message, /use a hash/);
    return true;
  });
});

Deno.test("a Rust key is the SHA-256 of the flexbuffer that Rust writes", () => {
  for (const { name, hex } of typedVectors()) {
    if (name !== "struct") continue;
    const key = createHash("sha256").update(hex, "hex").digest("hex");
    assert.equal(toHex(flexbuffersKey({ x: 1, y: -2 })), key);
    assert.notEqual(toHex(flexbuffersKey({ y: -2, x: 1 })), key);
    return;
  }
  assert.fail("there is no such vector");
});

Deno.test("what Rust tells apart are two keys", () => {
  assert.notDeepEqual(flexbuffersKey(5), flexbuffersKey(uint(5)));
});

interface Point {
  readonly x: number;
  readonly name?: string;
}

Deno.test("a key may be of an interface, but not what is no JSON for certain", () => {
  const point: Point = { x: 1 };
  assert.deepEqual(keyBytes(point), keyBytes({ x: 1 }));
  assert.deepEqual(keyBytes([point]), keyBytes([{ x: 1 }]));
  assert.deepEqual(
    keyBytes({ at: point, of: [point] }),
    keyBytes({ at: { x: 1 }, of: [{ x: 1 }] }),
  );
  const wrong: (() => unknown)[] = [
    // @ts-expect-error A date is a string in one program and an object in another.
    () => keyBytes(new Date()),
    // @ts-expect-error A map would be empty.
    () => keyBytes(new Map()),
    // @ts-expect-error So would a set.
    () => keyBytes(new Set()),
    // @ts-expect-error An await has been forgotten.
    () => keyBytes(Promise.resolve(1)),
    // @ts-expect-error A function has no contents.
    () => keyBytes(() => 1),
    // @ts-expect-error Nor has an expression.
    () => keyBytes(/x/),
    // @ts-expect-error JSON has no undefined.
    () => keyBytes(undefined),
  ];
  for (const each of wrong) assert.throws(each, { name: "CodecError" });
});
