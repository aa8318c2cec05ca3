import assert from "node:assert/strict";
import { bytesOf } from "./testing/blob_store_contract.ts";
import { openTestRoot } from "./testing/test_root.ts";

/** Names so long that the folder of so many has more than 4 MiB. */
const COUNT = 17_500;
const PADDING = "x".repeat(240);

Deno.test("a staging folder that is too large is not listed; what was captured is", async () => {
  await using harness = await openTestRoot();
  const { store, root } = harness;
  const { local } = store;
  harness.stage("one", bytesOf(1));
  harness.stage("two", bytesOf(1));
  await local.capture("one");
  assert.deepEqual(await local.leftovers(), {
    staging: ["two"],
    captured: ["one"],
  });
  for (let i = 0; i < COUNT; i++) {
    Deno.writeFileSync(`${root}/.staging/${i}${PADDING}`, new Uint8Array());
  }
  // Not every file system tells how large a folder is.
  if (Deno.statSync(`${root}/.staging`).size < 4 * 1024 * 1024) return;
  assert.deepEqual(await local.leftovers(), {
    staging: [],
    tooMany: true,
    captured: ["one"],
  });
});
