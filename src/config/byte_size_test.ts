import assert from "node:assert/strict";
import { formatByteSize, parseByteSize } from "./byte_size.ts";

Deno.test("parseByteSize reads plain numbers and binary suffixes", () => {
  const cases: [string, number][] = [
    ["0", 0],
    ["4096", 4_096],
    ["1KiB", 1_024],
    ["64MiB", 67_108_864],
    ["2GiB", 2 ** 31],
    ["1TiB", 2 ** 40],
  ];
  for (const [text, size] of cases) assert.equal(parseByteSize(text), size);
});

Deno.test("parseByteSize says how to write what it refuses", () => {
  for (const text of ["", "64MB", "64M", "64mib", "1.5GiB", "-1", "MiB"]) {
    assert.throws(
      () => parseByteSize(text),
      { name: "RangeError", message: /not a size: write bytes/ },
      text,
    );
  }
});

Deno.test("formatByteSize writes what parseByteSize reads back", () => {
  assert.equal(formatByteSize(64 * 1024 * 1024), "64MiB");
  for (const size of [0, 1, 1_023, 1_024, 1_025, 2 ** 30, 2 ** 40]) {
    assert.equal(parseByteSize(formatByteSize(size)), size);
  }
});
