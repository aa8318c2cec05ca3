import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeStatusMessage } from "./status_message.ts";

Deno.test("a status message is percent-encoded where it has to be", () => {
  const examples: readonly (readonly [string, string])[] = [
    ["", ""],
    ["plain text, ~ and all", "plain text, ~ and all"],
    ["100 %", "100 %25"],
    [" both ends ", "%20both ends%20"],
    [" ", "%20"],
    ["\ttab\r\n", "%09tab%0D%0A"],
    ["☺ 😈", "%E2%98%BA %F0%9F%98%88"],
    ["\ud83d alone", "%EF%BF%BD alone"],
    ["\x7f", "%7F"],
  ];
  for (const [message, encoded] of examples) {
    assert.equal(encodeStatusMessage(message), encoded);
  }
});

Deno.test("a long status message is cut at a character", () => {
  assert.equal(encodeStatusMessage("a".repeat(5_000)), "a".repeat(1_024));
  // Each takes 12 bytes.
  assert.equal(
    encodeStatusMessage("😈".repeat(200)),
    "%F0%9F%98%88".repeat(85),
  );
});

Deno.test("any status message is a field's value of at most 1 KiB that reads as its start", () => {
  const any = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 2_000 }),
    fc.string({ unit: fc.constantFrom(" ", "%", "a", "ü"), maxLength: 2_000 }),
  );
  fc.assert(fc.property(any, (message) => {
    const encoded = encodeStatusMessage(message);
    assert.match(encoded, /^(?:[!-~](?:[ -~]*[!-~])?)?$/);
    assert.ok(encoded.length <= 1_024);
    const decoded = decodeURIComponent(encoded);
    if (encoded.length < 1_000) assert.equal(decoded, message.toWellFormed());
    else assert.ok(message.toWellFormed().trim().startsWith(decoded.trim()));
  }));
});
