import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import {
  bytes,
  type Codec,
  codec,
  CodecError,
  json,
  messagepack,
} from "./mod.ts";
import { fromHex, toHex } from "./testing/golden.ts";

/** Throws a CodecError of this codec whose reason has this in it. */
function refuses(action: () => unknown, name: string, reason = ""): void {
  assert.throws(action, (error) => {
    assert(error instanceof CodecError && error instanceof TypeError);
    assert.equal(error.codec, name);
    assert.equal(error.message, `${name}: ${error.reason}`);
    assert(error.reason.includes(reason), error.reason);
    return true;
  });
}

const cyclic: Record<string, unknown> = {};
cyclic.self = [cyclic];

Deno.test("bytes go through as they are", () => {
  const value = new Uint8Array([1, 2]);
  assert.equal(bytes.encode(value), value);
  assert.equal(bytes.decode(value), value);
  assert.equal(bytes.encode(Buffer.from("x")).length, 1);
  for (const wrong of ["text", null, [1], new ArrayBuffer(1)]) {
    refuses(
      () => bytes.encode(wrong as unknown as Uint8Array),
      "bytes",
      "no Uint8Array",
    );
  }
});

Deno.test("JSON comes back as it went", () => {
  const codec = json<unknown>();
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
    const back = codec.decode(codec.encode(value));
    assert.deepEqual(JSON.stringify(back), JSON.stringify(value));
  }));
  const hidden = JSON.parse('{"__proto__":{"x":1}}');
  assert.deepStrictEqual(codec.decode(codec.encode(hidden)), hidden);
  assert.equal(codec.decode(codec.encode("\ud800")), "\ud800");
  assert.equal(json<number>().decode(json<number>().encode(-0)), 0);
});

Deno.test("JSON refuses what JSON.stringify would drop or change", () => {
  const codec = json<unknown>();
  for (
    const [value, reason] of [
      [undefined, "$ is undefined, which JSON cannot say"],
      [{ a: [0, { b: undefined }] }, "$.a[1].b is undefined"],
      [[, 1], "$[0] is undefined"],
      [[NaN], "$[0] is NaN"],
      [{ n: Infinity }, "$.n is Infinity"],
      [1n, "$ is a bigint"],
      [{ f() {} }, "$.f is a function"],
      [[Symbol("s")], "$[0] is a symbol"],
      [new Date(0), "$ is a Date"],
      [new Uint8Array(1), "$ is a Uint8Array"],
      [new (class Thing {})(), "$ is a Thing"],
      [cyclic, "contains itself"],
    ] as [unknown, string][]
  ) refuses(() => codec.encode(value), "json", reason);
});

Deno.test("JSON refuses bytes that are not JSON in UTF-8", () => {
  for (const wrong of ["", "{", "1 2", "nul", "\ufeff1"]) {
    refuses(() => json().decode(new TextEncoder().encode(wrong)), "json");
  }
  refuses(() => json().decode(fromHex("22ff22")), "json");
});

Deno.test("MessagePack comes back as it went", () => {
  const codec = messagepack();
  const leaf = fc.oneof(
    ...[fc.constant(null), fc.boolean(), fc.integer(), fc.maxSafeInteger()],
    // Not -0, which comes back as 0.
    ...[
      fc.double().map((x) => x + 0),
      fc.string({ unit: "grapheme" }),
      fc.uint8Array(),
    ],
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
    fc.date({ noInvalidDate: true }),
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie("tree"), { maxLength: 20 }),
      fc.dictionary(fc.string(), tie("tree"), {
        maxKeys: 20,
        noNullPrototype: true,
      }),
    ),
  }));
  fc.assert(fc.property(tree, (value) => {
    fc.pre(!JSON.stringify(value, text)?.includes('"__proto__"'));
    assert.deepStrictEqual(codec.decode(codec.encode(value)), value);
  }));

  function text(_key: string, value: unknown) {
    return typeof value === "bigint" ? "" : value;
  }
});

Deno.test("MessagePack is what others read: vectors of the specification", () => {
  // From the formats in https://github.com/msgpack/msgpack/blob/master/spec.md
  for (
    const [value, hex] of [
      [{ compact: true, schema: 0 }, "82a7636f6d70616374c3a6736368656d6100"],
      [new Uint8Array([1, 2]), "c4020102"],
      [-33, "d0df"],
      [65_536, "ce00010000"],
      [2n ** 64n - 1n, "cfffffffffffffffff"],
      [-1n, "d3ffffffffffffffff"],
      [0.5, "cb3fe0000000000000"],
      [new Date(0), "d6ff00000000"],
    ] as [unknown, string][]
  ) {
    assert.equal(toHex(messagepack().encode(value)), hex);
    assert.deepStrictEqual(messagepack().decode(fromHex(hex)), value);
  }
});

Deno.test("MessagePack refuses what would come back as something else", () => {
  for (
    const [value, reason] of [
      [undefined, "$ is undefined, which MessagePack cannot say"],
      [{ a: [undefined] }, "$.a[0] is undefined"],
      [2n ** 64n, "$ is a bigint beyond 64 bits"],
      [() => 1, "$ is a function"],
      [new Map(), "$ is a Map"],
      [new Date(NaN), "$ is a Date"],
      [new Float64Array(1), "$ is a Float64Array"],
      [["\udc00"], "$[0] is a string with half a surrogate pair"],
      [{ a: { "\udc00": 1 } }, "$.a has a key that is a string with half"],
      [[JSON.parse('{"__proto__":1}')], "$[0] has a key that is __proto__"],
      [cyclic, "contains itself"],
    ] as [unknown, string][]
  ) refuses(() => messagepack().encode(value), "messagepack", reason);
});

Deno.test("MessagePack claims no memory for what is not there", () => {
  // A hundred thousand arrays, each said to hold a hundred million more.
  const nested = new Uint8Array(500_000);
  for (let at = 0; at < nested.length; at += 5) {
    nested.set([0xdd, 0x06, 0, 0, 0], at);
  }
  refuses(() => messagepack().decode(nested), "messagepack", "too soon");
  refuses(() => messagepack().decode(fromHex("df7fffffff")), "messagepack");
});

Deno.test("what is nested too deep to have been written is not read", () => {
  /** `depth` arrays or objects, the innermost with a leaf. */
  const text = (open: string, close: string, depth: number) =>
    new TextEncoder().encode(`${open.repeat(depth)}1${close.repeat(depth)}`);
  const heads = (head: number[], depth: number) =>
    new Uint8Array([...Array(depth).fill(head).flat(), 1]);
  for (
    const [codec, nested] of [
      [json(), (depth: number) => text("[", "]", depth)],
      [json(), (depth: number) => text('{"]\\"":[', "]}", depth / 2)],
      [messagepack(), (depth: number) => heads([0x91], depth)],
      [messagepack(), (depth: number) => heads([0x81, 0xa0], depth)],
    ] as [Codec<unknown>, (depth: number) => Uint8Array][]
  ) {
    const deepest = codec.decode(nested(500));
    assert.deepEqual(codec.decode(codec.encode(deepest)), deepest);
    for (const depth of [502, 10_000, 100_000]) {
      refuses(() => codec.decode(nested(depth)), codec.name, "deeper than 500");
    }
  }
  // What is as deep only in a string, or beside each other, is not deep.
  for (const value of ["[{".repeat(1_000), Array(1_000).fill([{ "[": 1 }])]) {
    for (const codec of [json<unknown>(), messagepack<unknown>()]) {
      assert.deepEqual(codec.decode(codec.encode(value)), value);
    }
  }
});

Deno.test("no bytes make a codec throw anything but a CodecError", () => {
  const codecs: Codec<unknown>[] = [json(), messagepack()];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      for (const codec of codecs) {
        try {
          codec.decode(bytes);
        } catch (error) {
          assert(error instanceof CodecError, String(error));
        }
      }
    }),
    { numRuns: 3_000 },
  );
});

Deno.test("what a codec of your own throws is named, and is the cause", () => {
  const cause = new RangeError("no such thing");
  const mine = codec<string>({
    name: "mine",
    encode: () => {
      throw cause;
    },
    decode: () => {
      throw "a string";
    },
  });
  assert.throws(() => mine.encode(""), { codec: "mine", cause });
  refuses(() => mine.encode(""), "mine", "no such thing");
  refuses(() => mine.decode(new Uint8Array()), "mine", "a string");
});
