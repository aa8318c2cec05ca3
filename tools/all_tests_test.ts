/** Which test files share an isolate. */

import assert from "node:assert/strict";
import { groupsOf } from "./all_tests.ts";

Deno.test("files of a folder share an isolate, and those that wait come first", () => {
  const groups = groupsOf([
    "src/table/get_test.ts",
    "src/table/testing/story_test.ts",
    "src/flags/words_test.ts",
    "src/errors_test.ts",
    "tests/e2e/kill_test.ts",
    "tests/recovery_test.ts",
  ]);
  assert.deepEqual(groups, [
    ["tests/e2e/kill_test.ts"],
    ["tests/recovery_test.ts"],
    ["src/errors_test.ts"],
    ["src/flags/words_test.ts"],
    ["src/table/get_test.ts", "src/table/testing/story_test.ts"],
  ]);
});

Deno.test("those of a large folder are dealt out, and each is in one group", () => {
  const files = Array.from(
    { length: 20 },
    (_, at) => `tests/client/${String.fromCharCode(97 + at)}_test.ts`,
  );
  const groups = groupsOf(files);
  assert.equal(groups.length, 4);
  assert.deepEqual(groups.flat().sort(), files);
  assert.ok(groups.every(({ length }) => length === 5));
});
