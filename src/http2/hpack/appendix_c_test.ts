/** The examples of RFC 7541, appendix C. */

import assert from "node:assert/strict";
import { readInteger, writeInteger } from "./integers.ts";
import { encodeHeaders, HpackDecoder } from "./mod.ts";
import { hex } from "../testing/octets.ts";
import { decodeFields, type Field } from "./testing/collected.ts";

/** Large enough for all of them; some have a table of 256. */
const LIMITS = { maxListBytes: 4096, maxDecodedBytes: 4096 };

/** Decodes blocks one after another, and again what our encoder makes of them. */
function checkBlocks(
  blocks: readonly (readonly [digits: string, fields: readonly Field[]])[],
  maxTableBytes?: number,
): void {
  const decoder = new HpackDecoder({
    ...LIMITS,
    ...(maxTableBytes === undefined ? {} : { maxTableBytes }),
  });
  for (const [digits, fields] of blocks) {
    assert.deepEqual(decodeFields(decoder, hex(digits)), fields);
    const again = new HpackDecoder(LIMITS);
    assert.deepEqual(decodeFields(again, encodeHeaders(fields)), fields);
  }
}

Deno.test("C.1: integers", () => {
  for (
    const [value, mask, digits] of [
      [10, 0x1f, "0a"],
      [1337, 0x1f, "1f9a0a"],
      [42, 0xff, "2a"],
    ] as const
  ) {
    const out = new Uint8Array(digits.length / 2);
    const end = writeInteger(value, { mask, pattern: 0 }, { out, at: 0 });
    assert.equal(end, out.length);
    assert.equal(out.toHex(), digits);
    const cursor = { at: 0 };
    assert.equal(readInteger(out, cursor, mask), value);
    assert.equal(cursor.at, out.length);
  }
});

Deno.test("C.2: each representation of a field", () => {
  const cases: [string, Field][] = [
    [
      "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
      ["custom-key", "custom-header"],
    ],
    ["040c 2f73 616d 706c 652f 7061 7468", [":path", "/sample/path"]],
    [
      "1008 7061 7373 776f 7264 0673 6563 7265 74",
      ["password", "secret"],
    ],
    ["82", [":method", "GET"]],
  ];
  for (const [digits, field] of cases) checkBlocks([[digits, [field]]]);
});

const FIRST: Field[] = [
  [":method", "GET"],
  [":scheme", "http"],
  [":path", "/"],
  [":authority", "www.example.com"],
];
const SECOND: Field[] = [...FIRST, ["cache-control", "no-cache"]];
const THIRD: Field[] = [
  [":method", "GET"],
  [":scheme", "https"],
  [":path", "/index.html"],
  [":authority", "www.example.com"],
  ["custom-key", "custom-value"],
];

Deno.test("C.3: requests without the Huffman code", () => {
  checkBlocks([
    ["8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", FIRST],
    ["8286 84be 5808 6e6f 2d63 6163 6865", SECOND],
    [
      "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
      THIRD,
    ],
  ]);
});

Deno.test("C.4: requests in the Huffman code", () => {
  checkBlocks([
    ["8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", FIRST],
    ["8286 84be 5886 a8eb 1064 9cbf", SECOND],
    ["8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf", THIRD],
  ]);
});

const DATE = "Mon, 21 Oct 2013 20:13:21 GMT";
const FOUND: Field[] = [
  [":status", "302"],
  ["cache-control", "private"],
  ["date", DATE],
  ["location", "https://www.example.com"],
];
const TEMPORARY: Field[] = [[":status", "307"], ...FOUND.slice(1)];
const OK: Field[] = [
  [":status", "200"],
  ["cache-control", "private"],
  ["date", "Mon, 21 Oct 2013 20:13:22 GMT"],
  ["location", "https://www.example.com"],
  ["content-encoding", "gzip"],
  ["set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"],
];

Deno.test("C.5: responses without the Huffman code, through a table of 256 bytes", () => {
  checkBlocks([
    [
      `4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420
       3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77
       7777 2e65 7861 6d70 6c65 2e63 6f6d`,
      FOUND,
    ],
    ["4803 3330 37c1 c0bf", TEMPORARY],
    [
      `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32
       3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a
       584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33
       3630 303b 2076 6572 7369 6f6e 3d31`,
      OK,
    ],
  ], 256);
});

Deno.test("C.6: responses in the Huffman code, through a table of 256 bytes", () => {
  checkBlocks([
    [
      `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81
       66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
      FOUND,
    ],
    ["4883 640e ffc1 c0bf", TEMPORARY],
    [
      `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a
       839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36
       72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
      OK,
    ],
  ], 256);
});
