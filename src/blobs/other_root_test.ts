/** Another folder in the root's place that looks like it: a copy, an old state. */

import assert from "node:assert/strict";
import { nameOf, rejectsWith } from "./testing/blob_store_contract.ts";
import { openTestRoot } from "./testing/test_root.ts";

Deno.test("nothing is put into a copy of the root, and nothing is lost for what it holds", async () => {
  await using harness = await openTestRoot({ workers: 1 });
  const { root, store, stage } = harness;
  const { local } = store;
  const { digest } = await store.put(nameOf(1), new Uint8Array(10));
  stage("done", new Uint8Array(20));
  await local.capture("done");
  await local.hash("done");
  await new Deno.Command("cp", { args: ["-a", root, `${root}.copy`] }).output();
  await Deno.rename(root, `${root}.away`);
  await Deno.chmod(`${root}.copy/${nameOf(1)}`, 0o644);
  await Deno.truncate(`${root}.copy/${nameOf(1)}`, 5);
  await Deno.rename(`${root}.copy`, root);
  try {
    await rejectsWith(store.space(), "failed");
    // Answered after the rehearsal that the failure had begun.
    await rejectsWith(store.put(nameOf(2), new Uint8Array(10)), "failed");
    assert.match(store.trouble?.message ?? "none", /another folder/);
    await rejectsWith(local.install("done", nameOf(3)), "failed");
    await rejectsWith(store.read(nameOf(1), digest), "failed");
    assert.equal((await store.list("space.one")).length, 1);
  } finally {
    await Deno.remove(root, { recursive: true });
    await Deno.rename(`${root}.away`, root);
  }
  await store.read(nameOf(1), digest);
  await local.install("done", nameOf(3));
  await store.put(nameOf(2), new Uint8Array(10));
});
