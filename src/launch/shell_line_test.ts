import assert from "node:assert/strict";
import { shellLine } from "./shell_line.ts";

Deno.test("shellLine quotes what a shell would change", () => {
  assert.equal(
    shellLine(["/bin/deno", "--allow-net=[::1]:0", "/a b/it's", "$x", "a=b,c"]),
    `/bin/deno '--allow-net=[::1]:0' '/a b/it'\\''s' '$x' a=b,c`,
  );
});
