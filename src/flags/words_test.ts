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

Deno.test("words after -- are words, whatever they begin with, or a program's", () => {
  const args = ["--ns", "a", "one", "--", "--force", "-x", "--", "--ns=b"];
  const words = Words.read(args, OPTIONS);
  assert.deepEqual(words.positionals, ["one", "--force", "-x", "--", "--ns=b"]);
  assert.deepEqual(words.rest, []);
  assert.equal(words.text("ns"), "a");
  assert.equal(words.has("force"), false);
  const runs = Words.read(args, OPTIONS, { runs: true });
  assert.deepEqual(runs.positionals, ["one"]);
  assert.deepEqual(runs.rest, ["--force", "-x", "--", "--ns=b"]);
});

Deno.test("a flag that nobody knows is explained", () => {
  const said = (word: string, options = OPTIONS) => {
    try {
      Words.read([word], options);
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.equal(said("--nss"), "unknown flag --nss: did you mean --ns?");
  // Each letter is a slip away from every other one.
  assert.equal(said("-f"), "unknown flag -f: did you mean --force?");
  assert.equal(said("-r"), "unknown flag -r: --help lists what there is");
  const keyed = [...OPTIONS, { name: "key-hex", argument: "HEX", help: "" }];
  assert.equal(
    said("-1", keyed),
    "unknown flag -1: --help lists what there is; a KEY that begins with - " +
      "comes after --",
  );
});
