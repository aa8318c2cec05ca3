/** Many calls at once, as a sweep makes them. */

import assert from "node:assert/strict";
import { testOnEach } from "./runtimes.ts";
import { withServerHere } from "./support.ts";

const PROGRAM = new URL("./programs/sweep.mjs", import.meta.url);

testOnEach(
  "a sweep of many points at once warns of nothing",
  PROGRAM,
  (command) =>
    withServerHere(async ({ remote }) => {
      const [program, ...args] = command(remote);
      const { stdout, stderr } = await new Deno.Command(program!, { args })
        .output();
      const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      assert.equal(text(stderr), "");
      const values = Array.from({ length: 30 }, (_, point) => point * 2);
      assert.deepEqual(JSON.parse(text(stdout)), [values, values]);
    }),
);
