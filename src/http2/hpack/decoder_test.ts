import assert from "node:assert/strict";
import { HpackDecoder, type HpackDecoderOptions, HpackError } from "./mod.ts";
import {
  CollectedFields,
  decodeFields,
  type Field,
} from "./testing/collected.ts";
import {
  encodeHuffman,
  integer,
  ModelEncoder,
  string,
} from "./testing/model_encoder.ts";
import { END_OF_STRING } from "./huffman_code.ts";
import { hex } from "../testing/octets.ts";

function decoder(options: Partial<HpackDecoderOptions> = {}): HpackDecoder {
  return new HpackDecoder({
    maxListBytes: 16_384,
    maxDecodedBytes: 65_536,
    ...options,
  });
}

/** A literal that goes into the table. */
function added(name: string, value: string): number[] {
  return [0x40, ...string(name, false), ...string(value, false)];
}

/** Decodes blocks on one connection; the last one must be an error. */
function assertRefused(
  blocks: readonly (readonly number[])[],
  message: string | RegExp,
  options: Partial<HpackDecoderOptions> = {},
): void {
  const one = decoder(options);
  for (const block of blocks.slice(0, -1)) {
    decodeFields(one, new Uint8Array(block));
  }
  assert.throws(
    () => decodeFields(one, new Uint8Array(blocks.at(-1)!)),
    (error) => {
      assert.ok(error instanceof HpackError);
      assert.match(error.message, new RegExp(message));
      return true;
    },
  );
}

Deno.test("HpackDecoder refuses an index that neither table has", () => {
  assertRefused([[0x80]], "index 0: the tables have 1 to 61");
  assertRefused([[0x80 | 62]], "index 62: the tables have 1 to 61");
  assertRefused([added("a", "1"), [0x80 | 63]], "index 63: .* 1 to 62");
  assertRefused([integer(100_000, 7, 0x80)], "index 100000");
  for (const [bits, first] of [[6, 0x40], [4, 0x00], [4, 0x10]] as const) {
    assertRefused(
      [[...integer(62, bits, first), ...string("1", false)]],
      "index 62",
    );
  }
});

Deno.test("HpackDecoder refuses a block that ends within a field, at any octet", () => {
  const fields = [
    added("name", "value"),
    [0x0f, 0x10, ...string("application/grpc", true)],
    integer(62, 7, 0x80),
    [0x10, ...string("n".repeat(200), false), ...string("v", true)],
  ];
  const before: number[] = [];
  for (const field of fields) {
    for (let end = 1; end < field.length; end++) {
      const block = [...before, ...field.slice(0, end)];
      assertRefused([block], "ends within a field");
    }
    before.push(...field);
  }
  assert.equal(decodeFields(decoder(), new Uint8Array(before)).length, 4);
});

Deno.test("HpackDecoder takes size updates at a block's start only, two at most", () => {
  const field = [0x82];
  const update = integer(100, 5, 0x20);
  assert.deepEqual(
    decodeFields(decoder(), new Uint8Array([...update, 0x20, ...field])),
    [[":method", "GET"]],
  );
  assert.deepEqual(decodeFields(decoder(), new Uint8Array(update)), []);
  const misplaced = "size update stands after a field, or is the third";
  assertRefused([[...update, ...update, 0x20, ...field]], misplaced);
  assertRefused([[...field, ...update]], misplaced);
  assertRefused([[...update, ...field, ...update]], misplaced);
});

Deno.test("HpackDecoder lets no table grow above what was announced", () => {
  const most = new Uint8Array(integer(4096, 5, 0x20));
  assert.deepEqual(decodeFields(decoder(), most), []);
  assertRefused(
    [integer(4097, 5, 0x20)],
    "update to 4097: at most 4096 was announced",
  );
  assertRefused([[0x20], integer(2 ** 28, 5, 0x20)], "at most 4096");
  assertRefused([integer(101, 5, 0x20)], "at most 100", { maxTableBytes: 100 });
});

Deno.test("HpackDecoder forgets what a size update leaves no room for", () => {
  const one = decoder();
  decodeFields(
    one,
    new Uint8Array([...added("a", "1"), ...added("b", "2")]),
  );
  // Down to one entry and up again: what left does not come back.
  const updates = [...integer(34, 5, 0x20), ...integer(4096, 5, 0x20)];
  assert.deepEqual(
    decodeFields(one, new Uint8Array([...updates, 0x80 | 62])),
    [["b", "2"]],
  );
  assert.throws(
    () => decodeFields(one, new Uint8Array([0x80 | 63])),
    HpackError,
  );
});

Deno.test("HpackDecoder keeps the name of an entry that its own literal evicts", () => {
  const one = decoder({ maxTableBytes: 64 });
  decodeFields(one, new Uint8Array(added("name", "first")));
  const literal = [...integer(62, 6, 0x40), ...string("2".repeat(28), false)];
  const expected: Field[] = [["name", "2".repeat(28)]];
  assert.deepEqual(decodeFields(one, new Uint8Array(literal)), expected);
  assert.deepEqual(decodeFields(one, new Uint8Array([0x80 | 62])), expected);
  // The same, but too large to be kept.
  const large = [...integer(62, 6, 0x40), ...string("3".repeat(29), true)];
  assert.deepEqual(decodeFields(one, new Uint8Array(large)), [
    ["name", "3".repeat(29)],
  ]);
  assertRefused([[0x80 | 62]], "index 62");
});

Deno.test("HpackDecoder makes one char of each octet, coded or not", () => {
  const all = String.fromCharCode(...Array(256).keys());
  for (const text of ["", "\xef\xbb\xbf\x80\x9f\xff", all, all.repeat(50)]) {
    for (const huffman of [false, true]) {
      const block = [0, ...string("x", false), ...string(text, huffman)];
      assert.deepEqual(decodeFields(decoder(), new Uint8Array(block)), [
        ["x", text],
      ]);
    }
  }
});

Deno.test("HpackDecoder delivers what maxListBytes has room for, and keeps in step", () => {
  const block = new Uint8Array([
    ...added("a", "1"),
    ...added("b", "2"),
    ...added("c", "3"),
  ]);
  for (const [maxListBytes, delivered] of [[102, 3], [101, 2], [33, 0]]) {
    const one = decoder({ maxListBytes: maxListBytes! });
    const sink = new CollectedFields();
    assert.equal(one.decode(block, sink), delivered! < 3);
    assert.equal(sink.fields.length, delivered);
    const again = new CollectedFields();
    const isTooLarge = one.decode(hex("be"), again);
    assert.equal(isTooLarge, delivered === 0);
    if (!isTooLarge) assert.deepEqual(again.fields, [["c", "3"]]);
  }
});

Deno.test("HpackDecoder delivers nothing small after what was too large", () => {
  const block = new Uint8Array([
    ...added("a", "1"),
    ...added("b", "2".repeat(50)),
    ...added("c", "3"),
  ]);
  const sink = new CollectedFields();
  assert.equal(decoder({ maxListBytes: 100 }).decode(block, sink), true);
  assert.deepEqual(sink.fields, [["a", "1"]]);
});

Deno.test("HpackDecoder ends at maxDecodedBytes, however a list got so large", () => {
  const options = { maxListBytes: 1000, maxDecodedBytes: 4000 };
  const literal = (valueBytes: number, huffman: boolean) => [
    ...[0, ...string("", false)],
    ...string("0".repeat(valueBytes), huffman),
  ];
  for (const huffman of [false, true]) {
    const fits = new Uint8Array(literal(4000 - 32, huffman));
    const sink = new CollectedFields();
    assert.equal(decoder(options).decode(fits, sink), true);
    assert.deepEqual(sink.fields, []);
    const tooLong = "too large to be decoded";
    assertRefused([literal(4001 - 32, huffman)], tooLong, options);
    assertRefused([literal(2e6, huffman)], tooLong, options);
    // No room for the value, as the name took it.
    const name = string("n".repeat(3000), huffman);
    const value = string("v".repeat(3000), huffman);
    assertRefused([[0, ...name, ...value]], tooLong, options);
    assertRefused([[0x40, ...name, ...value]], tooLong, options);
  }
  // One entry of 1,034 bytes, asked for four times.
  const large = added("n", "v".repeat(1001));
  const bomb = new Array<number>(4).fill(0x80 | 62);
  assertRefused([large, bomb], "takes more than 4000 bytes", options);
  // Empty fields count, too.
  const empty = new Array(126).fill([0, 0, 0]).flat();
  assertRefused([empty], "too large to be decoded", options);
  assertRefused(
    [new Array<number>(126).fill(0x81)],
    "takes more than 4000 bytes",
    options,
  );
});

Deno.test("HpackDecoder refuses Huffman strings that are none", () => {
  for (
    const [coded, message] of [
      [encodeHuffman([END_OF_STRING]), "end-of-string symbol"],
      [encodeHuffman([0x77], "0000000"), "other padding than 7 ones"],
      [[0xff], "other padding than 7 ones"],
    ] as const
  ) {
    const text = [...integer(coded.length, 7, 0x80), ...coded];
    assertRefused([[0x00, ...text, ...string("v", false)]], message);
    assertRefused([[0x40, ...string("n", false), ...text]], message);
  }
});

Deno.test("HpackDecoder reads what a peer repeats as the strings it has", () => {
  const encoder = new ModelEncoder();
  const fields: Field[] = [
    [":path", "/remote.RemoteCache/Get"],
    ["te", "trailers"],
  ];
  const one = decoder();
  for (let turn = 0; turn < 3; turn++) {
    const block = encoder.encode(
      fields.map((field) => ({
        field,
        form: "index",
        nameByIndex: true,
        huffman: true,
      })),
    );
    if (turn > 0) assert.equal(block.toHex(), "bfbe");
    assert.deepEqual(decodeFields(one, block), fields);
  }
});
