import assert from "node:assert/strict";
import { asked } from "./asked.ts";

Deno.test("help and version are asked for in several ways", () => {
  assert.deepEqual(asked(["help"]), ["--help"]);
  assert.deepEqual(asked(["help", "--json"]), ["--help"]);
  assert.deepEqual(asked(["help", "run"]), ["run", "--help"]);
  assert.deepEqual(asked(["version"]), ["--version"]);
  assert.deepEqual(asked(["-v"]), ["--version"]);
  // What follows a command is the command's.
  assert.deepEqual(asked(["get", "version"]), ["get", "version"]);
  assert.deepEqual(asked([]), []);
});
