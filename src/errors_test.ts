import assert from "node:assert/strict";
import { whyNot } from "./cli/cannot.ts";
import { diskFull } from "./root/full_disk.ts";
import { isDiskFull, messageOf } from "./errors.ts";

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
    assert(isDiskFull(error));
  }
  // As Deno's own calls throw it.
  const error = new Error("Disk quota exceeded (os error 122): mkdir '/a/b'");
  assert(isDiskFull(error));
  assert.match(
    diskFull("/a", error).message,
    /^cannot use root \/a: the quota for it is used up: make room under it and /,
  );
});
