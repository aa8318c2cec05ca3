import assert from "node:assert/strict";
import { HpackError } from "./hpack_error.ts";
import { MAX_INTEGER_OCTETS, readInteger, writeInteger } from "./integers.ts";
import { hex } from "../testing/octets.ts";

function written(value: number, mask: number, pattern: number): Uint8Array {
  const out = new Uint8Array(MAX_INTEGER_OCTETS);
  return out.slice(0, writeInteger(value, { mask, pattern }, { out, at: 0 }));
}

Deno.test("integers are read as they are written, in any prefix", () => {
  for (const bits of [4, 5, 6, 7, 8]) {
    const mask = 2 ** bits - 1;
    for (
      const value of [0, 1, mask - 1, mask, mask + 1, mask + 127, mask + 128]
        .concat([4096, 16_383, 16_384, 2 ** 28 - 1])
    ) {
      // The bits above the prefix are none of the integer's.
      const block = written(value, mask, 0xff & ~mask);
      const cursor = { at: 0 };
      assert.equal(readInteger(block, cursor, mask), value);
      assert.equal(cursor.at, block.length);
    }
  }
});

Deno.test("integers of 32 bits fit in the octets they may take", () => {
  assert.equal(written(2 ** 32 - 1, 0x1f, 0x20).toHex(), "3fe0ffffff0f");
});

Deno.test("readInteger takes four octets after the prefix, and no more", () => {
  const cases: [string, number][] = [
    ["1f80808000", 31],
    ["1fffffff7f", 31 + 2 ** 28 - 1],
  ];
  for (const [digits, value] of cases) {
    assert.equal(readInteger(hex(digits), { at: 0 }, 0x1f), value);
  }
  for (
    const digits of ["1f8080808000", "1fffffffff7f", "1f" + "80".repeat(99)]
  ) {
    assert.throws(
      () => readInteger(hex(digits), { at: 0 }, 0x1f),
      new HpackError("an integer goes on after 4 octets"),
    );
  }
});

Deno.test("readInteger refuses an integer that is cut off", () => {
  for (const digits of ["", "1f", "1f80", "1f808080"]) {
    assert.throws(
      () => readInteger(hex(digits), { at: 0 }, 0x1f),
      new HpackError("the header block ends within a field"),
    );
  }
});
