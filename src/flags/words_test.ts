import assert from "node:assert/strict";
import { type Option, Words } from "./words.ts";

const OPTIONS: readonly Option[] = [
  { name: "ns", argument: "NS", help: "" },
  { name: "key-file", argument: "FILE", isMany: true, help: "" },
  { name: "force", help: "" },
];

Deno.test("an option whose value was forgotten does not take the next option for it", () => {
  for (const next of ["--key-file", "--force"]) {
    assert.throws(
      () => Words.read(["--ns", next, "x"], OPTIONS),
      {
        exitCode: 2,
        message:
          `--ns needs a value: NS; if ${next} is meant to be it: --ns=${next}`,
      },
    );
  }
  assert.throws(() => Words.read(["--ns"], OPTIONS), {
    message: "--ns needs a value: NS",
  });
  assert.equal(Words.read(["--ns=--force"], OPTIONS).text("ns"), "--force");
  assert.equal(Words.read(["--ns", "-x"], OPTIONS).text("ns"), "-x");
});

Deno.test("an option of which there is one is not given twice", () => {
  assert.throws(() => Words.read(["--ns", "a", "--ns=b"], OPTIONS), {
    exitCode: 2,
    message: "--ns is given twice, as a and as b: one only",
  });
  // As by an alias that has it, too.
  const words = Words.read(["--ns", "a", "--ns", "a", "--force"], OPTIONS);
  assert.equal(words.text("ns"), "a");
  const many = ["--key-file", "a", "--key-file", "b"];
  assert.deepEqual(Words.read(many, OPTIONS).all("key-file"), ["a", "b"]);
});

Deno.test("a word that is not UTF-8 is refused with advice that the command can take", () => {
  const garbled = ["\ufffd.txt"];
  assert.throws(() => Words.read(garbled, OPTIONS), {
    exitCode: 2,
    message: /: such a word cannot be told from others$/,
  });
  const keyed = [...OPTIONS, { name: "key-hex", argument: "HEX", help: "" }];
  assert.throws(() => Words.read(garbled, keyed), {
    exitCode: 2,
    message: /; a key of any bytes can be given with --key-file or --key-hex$/,
  });
});
