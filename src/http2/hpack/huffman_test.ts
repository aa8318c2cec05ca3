import assert from "node:assert/strict";
import { HpackError } from "./hpack_error.ts";
import { decodeHuffman, huffmanBound } from "./huffman.ts";
import { END_OF_STRING, HUFFMAN_CODES } from "./huffman_code.ts";
import { encodeHuffman } from "./testing/model_encoder.ts";

const BAD_PADDING =
  "a Huffman string ends in other padding than 7 ones or less";

function decoded(coded: readonly number[]): number[] {
  const target = new Uint8Array(huffmanBound(coded.length));
  const length = decodeHuffman(
    new Uint8Array(coded),
    0,
    coded.length,
    target,
  );
  return [...target.subarray(0, length)];
}

Deno.test("the Huffman code is the RFC's, a sample of each length", () => {
  const listed: [symbol: number, code: number, lengthBits: number][] = [
    [0x30, 0x0, 5],
    [0x74, 0x9, 5],
    [0x20, 0x14, 6],
    [0x75, 0x2d, 6],
    [0x3a, 0x5c, 7],
    [0x7a, 0x7b, 7],
    [0x26, 0xf8, 8],
    [0x5a, 0xfd, 8],
    [0x21, 0x3f8, 10],
    [0x27, 0x7fa, 11],
    [0x23, 0xffa, 12],
    [0x00, 0x1ff8, 13],
    [0x5e, 0x3ffc, 14],
    [0x3c, 0x7ffc, 15],
    [0x5c, 0x7fff0, 19],
    [0x80, 0xfffe6, 20],
    [0x99, 0x1fffdc, 21],
    [0x81, 0x3fffd2, 22],
    [0x01, 0x7fffd8, 23],
    [0x09, 0xffffea, 24],
    [0xc7, 0x1ffffec, 25],
    [0xc0, 0x3ffffe0, 26],
    [0xcb, 0x7ffffde, 27],
    [0x02, 0xfffffe2, 28],
    [0xf9, 0xffffffe, 28],
    [0x0a, 0x3ffffffc, 30],
    [END_OF_STRING, 0x3fffffff, 30],
  ];
  for (const [symbol, code, lengthBits] of listed) {
    assert.deepEqual(
      HUFFMAN_CODES.find((entry) => entry.symbol === symbol),
      { symbol, code, lengthBits },
    );
  }
  assert.equal(HUFFMAN_CODES.length, 257);
});

Deno.test("decodeHuffman reads every octet, after and before every other", () => {
  for (let first = 0; first < 256; first++) {
    for (let second = 0; second < 256; second++) {
      const symbols = [first, second, first];
      assert.deepEqual(decoded(encodeHuffman(symbols)), symbols);
    }
  }
});

Deno.test("decodeHuffman reads only between start and end", () => {
  const coded = encodeHuffman([0x77, 0x77, 0x77]);
  const source = new Uint8Array([0, ...coded, 0]);
  const target = new Uint8Array(9);
  assert.equal(decodeHuffman(source, 1, 1 + coded.length, target), 3);
  assert.equal(decodeHuffman(source, 1, 1, target), 0);
});

Deno.test("decodeHuffman takes up to seven ones as padding, and nothing else", () => {
  // One to eight codes of five bits leave each number of bits from 0 to 7.
  for (let count = 1; count <= 8; count++) {
    const symbols = new Array<number>(count).fill(0x30);
    const coded = encodeHuffman(symbols);
    assert.deepEqual(decoded(coded), symbols);
    assert.throws(() => decoded([...coded, 0xff]), { message: BAD_PADDING });
    const paddingBits = -5 * count & 7;
    // Five bits and more may be another symbol.
    for (let zero = 0; zero < paddingBits && paddingBits < 5; zero++) {
      const padding = "1".repeat(zero) + "0" + "1".repeat(6 - zero);
      assert.throws(() => decoded(encodeHuffman(symbols, padding)), {
        message: BAD_PADDING,
      });
    }
  }
});

Deno.test("decodeHuffman refuses padding that is no string's, or a whole octet", () => {
  assert.throws(() => decoded(encodeHuffman([0x77], "0")), {
    message: BAD_PADDING,
  });
  assert.throws(() => decoded([0xff]), {
    message: BAD_PADDING,
  });
  assert.throws(() => decoded([0xff, 0xff, 0xff]), {
    message: BAD_PADDING,
  });
});

Deno.test("decodeHuffman refuses the end of string, wherever it stands", () => {
  for (
    const symbols of [
      [END_OF_STRING],
      // Its last bit is one of the first four of an octet, and of the last.
      [0x30, END_OF_STRING],
      [0x30, 0x30, END_OF_STRING],
      [END_OF_STRING, 0x77, 0x77],
    ]
  ) {
    assert.throws(
      () => decoded(encodeHuffman(symbols)),
      new HpackError("a Huffman string contains the end-of-string symbol"),
    );
  }
});

Deno.test("decodeHuffman writes within a target that is too short, and tells", () => {
  const coded = new Uint8Array(encodeHuffman(new Array(99).fill(0x30)));
  const target = new Uint8Array(10);
  assert.equal(decodeHuffman(coded, 0, coded.length, target), 99);
  assert.deepEqual([...target], new Array(10).fill(0x30));
  assert.equal(huffmanBound(coded.length), 99);
});
