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
    ["1.5GiB", 1.5 * 2 ** 30],
    ["0.1MiB", 104_858],
    ["10G", 10 * 2 ** 30],
    ["1.5K", 1_536],
    ["2T", 2 ** 41],
    ["3M", 3 * 2 ** 20],
  ];
  for (const [text, size] of cases) assert.equal(parseByteSize(text), size);
});

Deno.test("parseByteSize says how to write what it refuses", () => {
  for (
    const text of [
      "",
      "64MB",
      "64mib",
      "1.5",
      "-1",
      "MiB",
      "1.GiB",
      "1e3",
      ".5G",
    ]
  ) {
    assert.throws(
      () => parseByteSize(text),
      { name: "RangeError", message: /not a size: / },
      text,
    );
  }
});

Deno.test("parseByteSize proposes the binary unit for one that may mean either", () => {
  for (const text of ["10GB", "10gb", "10g"]) {
    assert.throws(() => parseByteSize(text), /write 10GiB; write bytes/, text);
  }
});

Deno.test("formatByteSize writes what parseByteSize reads back", () => {
  assert.equal(formatByteSize(64 * 1024 * 1024), "64MiB");
  for (const size of [0, 1, 1_023, 1_024, 1_025, 2 ** 30, 2 ** 40]) {
    assert.equal(parseByteSize(formatByteSize(size)), size);
  }
});
