import assert from "node:assert/strict";
import { formatSpan, withSizes } from "./format.ts";

Deno.test("formatSpan() says two days when they have just begun", () => {
  const dayMs = 86_400_000;
  assert.equal(formatSpan(2 * dayMs - 300), "2 d");
  assert.equal(formatSpan(1.94 * dayMs), "1.9 d");
  assert.equal(formatSpan(59_999), "59 s");
  assert.equal(formatSpan(9_970), "10 s");
  assert.equal(formatSpan(400), "400 ms");
});

Deno.test("withSizes() changes numbers of bytes, and no others", () => {
  assert.equal(
    withSizes(
      "only 63237857280 bytes of the disk are free, and --min-free asks for " +
        "243497856615 bytes: 12345 values, at 127.0.0.1:28056, 512 bytes",
    ),
    "only 58.9 GiB of the disk are free, and --min-free asks for 227 GiB: " +
      "12345 values, at 127.0.0.1:28056, 512 bytes",
  );
});
