import assert from "node:assert/strict";
import { CacheError } from "../client/cache_error.ts";
import { isBrokenPipe } from "./output.ts";

Deno.test("a reader that has gone is told from a server that hangs up", () => {
  assert.equal(isBrokenPipe(new Error("write EPIPE")), true);
  assert.equal(isBrokenPipe(new Error("write EIO")), false);
  const hangsUp = new CacheError("unavailable", "usage: write EPIPE");
  assert.equal(isBrokenPipe(hangsUp), false);
});
