import assert from "node:assert/strict";
import { whyNot } from "./cli/cannot.ts";
import { messageOf } from "./errors.ts";

Deno.test("a quota that is used up is said in words", () => {
  for (
    const message of ["Unknown system error -122", "UNKNOWN: unknown error"]
  ) {
    const error = Object.assign(new Error(`${message}, write`), {
      errno: -122,
      syscall: "write",
    });
    assert.equal(messageOf(error), "EDQUOT: disk quota exceeded, write");
    assert.equal(whyNot(error), "disk quota exceeded");
  }
});
