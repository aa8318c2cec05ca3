import assert from "node:assert/strict";
import { Words } from "./words.ts";

const OPTIONS = [
  { name: "ns", argument: "NS", help: "" },
  { name: "key-file", argument: "FILE", help: "" },
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
