import assert from "node:assert/strict";
import { isBinary, textOnly } from "./terminal.ts";

const encode = (text: string) => new TextEncoder().encode(text);

Deno.test("isBinary tells text from what a terminal must not be sent", () => {
  const cut = encode("zwölf €").subarray(0, -1);
  for (
    const text of ["", "42\n", "a\tb\r\n", "\x1b[31mred\x1b[0m", "zwölf €"]
  ) {
    assert.equal(isBinary(encode(text)), false, text);
  }
  assert.equal(isBinary(cut), false);
  for (const bytes of [[0], [0xff, 0xd8, 0x41], [0x1f, 0x8b, 8], [0x41, 7]]) {
    assert.equal(isBinary(Uint8Array.from(bytes)), true, `${bytes}`);
  }
});

Deno.test("textOnly passes text on, and stops before the first piece that is none", async () => {
  async function* pieces() {
    yield encode("one");
    yield await Promise.resolve(Uint8Array.of(0, 1));
  }
  const passed: Uint8Array[] = [];
  await assert.rejects(async () => {
    for await (const piece of textOnly(pieces())) passed.push(piece);
  }, /the value is no text, and stdout is a terminal: .*-o FILE/);
  assert.deepEqual(passed, [encode("one")]);
});
