import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { Leaves } from "./leaves.ts";
import type { Leaf } from "./tree.ts";

const PACKING = fileURLToPath(new URL("./testing/packing.ts", import.meta.url));
const COUNT = 100_000;
/** It is 40 MB; with a stream for each file it was 120 MB. */
const MOST_BYTES = 80_000_000;

Deno.test("leaves are what was added, in that order, as often as they are read", () => {
  const leaves = new Leaves();
  assert.deepEqual([...leaves], []);
  const added: Leaf[] = [];
  for (let at = 0; at < 3_000; at++) {
    const leaf: Leaf = {
      below: `sub "ä"\n${at}`,
      kind: at % 2 === 0 ? "link" : "file",
      mode: at % 0o777,
      size: at * 1e12,
      stamp: `${at} 2 3`,
      target: at % 2 === 0 ? `../${at}` : undefined,
    };
    leaves.add(leaf);
    added.push(leaf);
  }
  assert.equal(leaves.length, added.length);
  assert.deepEqual([...leaves], added);
  assert.deepEqual([...leaves], added);
});

Deno.test("a folder of 100,000 files is packed in little memory", async () => {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--allow-all", PACKING, `${COUNT}`],
  }).output();
  const grownBytes = Number(new TextDecoder().decode(stdout).trim());
  assert(grownBytes > 0, new TextDecoder().decode(stderr));
  assert(grownBytes < MOST_BYTES, `${grownBytes} bytes`);
});
