/** verify, on values that are whole and on one that is not. */

import assert from "node:assert/strict";
import { sha256Hex } from "../../workers/digest.ts";
import { flipBit } from "../faults/damage.ts";
import { hostedShells } from "./hosted_larder.ts";

const withShell = await hostedShells();

Deno.test("verify reports a value with one wrong bit", () =>
  withShell(async (shell) => {
    await shell.write("value", "x".repeat(5000));
    for (const key of ["1", "2", "3"]) {
      await shell.ok("put", "--ns", "sim", key, "value");
    }
    // From here on the server has them in its memory.
    for (const key of ["1", "2", "3"]) {
      await shell.ok("get", "--ns", "sim", key);
    }
    assert.deepEqual(await shell.json("verify"), {
      entries: 3,
      bytes: 15_000,
      damaged: [],
    });
    await flipBit(`${shell.server.root}/sim/${sha256Hex("2")}`, 2500);
    const { code, stdout } = await shell.run(["verify", "--json"]);
    const { damaged } = JSON.parse(stdout);
    assert.equal(code, 1);
    assert.deepEqual(damaged.map(({ key }: { key: string }) => key), ["2"]);
    // The server has put it aside.
    const again = await shell.run(["verify", "sim"]);
    assert.deepEqual([again.code, again.stderr], [0, ""]);
    assert.match(again.stdout, /^2 values, 9\.8 KiB: none damaged\n$/);
  }));
