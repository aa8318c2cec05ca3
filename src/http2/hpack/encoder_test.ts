import assert from "node:assert/strict";
import { encodeHeaders, encodeTableSizeUpdate, HpackDecoder } from "./mod.ts";
import { decodeFields, type Field } from "./testing/collected.ts";

Deno.test("encodeHeaders uses indices of the static table where it can", () => {
  const cases: [Field, string][] = [
    [[":status", "200"], "88"],
    [[":path", "/index.html"], "85"],
    [["www-authenticate", ""], "bd"],
    // 0x0f and the rest of 31: content-type by its name alone.
    [["content-type", "x"], "0f100178"],
    [[":status", "201"], "0803323031"],
    [["te", "x"], "000274650178"],
    [["te", ""], "0002746500"],
  ];
  for (const [field, hex] of cases) {
    assert.equal(encodeHeaders([field]).toHex(), hex);
  }
  assert.equal(
    encodeHeaders(cases.map(([field]) => field)).toHex(),
    cases.map(([, hex]) => hex).join(""),
  );
  assert.equal(encodeHeaders([]).length, 0);
});

Deno.test("encodeHeaders writes octets above 127 and long values as they are", () => {
  const fields: Field[] = [
    ["x-octets", String.fromCharCode(...Array(256).keys())],
    ["x-long", "v".repeat(70_000)],
    // More octets than a call takes arguments.
    ["x-long-octets", "\xff".repeat(200_000)],
    ["n".repeat(300), "1"],
  ];
  const decoder = new HpackDecoder({
    maxListBytes: 1e6,
    maxDecodedBytes: 1e6,
  });
  assert.deepEqual(decodeFields(decoder, encodeHeaders(fields)), fields);
});

Deno.test("encodeHeaders refuses chars that are no octets", () => {
  for (const field of [["name", "\u0100"], ["näme…", "1"]] as const) {
    assert.throws(() => encodeHeaders([field]), {
      name: "RangeError",
      message: /^Cannot encode a header field with U\+(0100|2026): write one/,
    });
  }
});

Deno.test("encodeTableSizeUpdate goes before a block, and empties the table", () => {
  assert.equal(encodeTableSizeUpdate(0).toHex(), "20");
  assert.equal(encodeTableSizeUpdate(30).toHex(), "3e");
  assert.equal(encodeTableSizeUpdate(4096).toHex(), "3fe11f");
  const decoder = new HpackDecoder({
    maxListBytes: 4096,
    maxDecodedBytes: 4096,
  });
  const fields: Field[] = [[":status", "200"]];
  const block = new Uint8Array([
    ...encodeTableSizeUpdate(0),
    ...encodeHeaders(fields),
  ]);
  assert.deepEqual(decodeFields(decoder, block), fields);
});
