import assert from "node:assert/strict";
import { parseToml, stringifyToml } from "./toml.ts";

Deno.test("stringifyToml writes what Cache.toml needs", () => {
  const text = stringifyToml({
    local_addr: "127.0.0.1:1",
    remote_addr: undefined,
    heartbeat_interval: { secs: 2, nanos: 0 },
  });
  assert.deepEqual(text.trim().split("\n").filter((line) => line !== ""), [
    `local_addr = "127.0.0.1:1"`,
    "[heartbeat_interval]",
    "secs = 2",
    "nanos = 0",
  ]);
  assert.deepEqual({ ...parseToml(text).heartbeat_interval as object }, {
    secs: 2,
    nanos: 0,
  });
});

Deno.test("parseToml names the place of a mistake in one line", () => {
  assert.throws(() => parseToml("a = 1\nb = \n"), (error) => {
    assert(error instanceof SyntaxError);
    assert.match(error.message, /^[^\n]+ \(line 2, column \d+\)$/);
    return true;
  });
});
