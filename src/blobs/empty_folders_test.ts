import assert from "node:assert/strict";
import { bytesOf, nameOf } from "./testing/blob_store_contract.ts";
import { openTestRoot } from "./testing/test_root.ts";

function folders(root: string): string[] {
  return [...Deno.readDirSync(root)].map(({ name }) => name)
    .filter((name) => !name.startsWith(".")).sort();
}

Deno.test("an empty namespace leaves no folder behind", async () => {
  await using harness = await openTestRoot();
  const { store, root } = harness;
  await store.put(nameOf(1, "kept"), bytesOf(1));
  await store.put(nameOf(1, "emptied"), bytesOf(1));
  await store.remove(nameOf(1, "emptied"));
  for (const namespace of ["kept", "emptied", "none"]) {
    const isGone = await store.removeEmpty(namespace);
    assert.equal(isGone, namespace === "emptied", namespace);
  }
  assert.deepEqual(folders(root), ["kept"]);
  assert.deepEqual(await store.list("emptied"), []);
  const { digest } = await store.put(nameOf(2, "emptied"), bytesOf(3));
  assert.deepEqual(await store.read(nameOf(2, "emptied"), digest), bytesOf(3));
});

Deno.test("of what nobody knows for a namespace only Larder's own folders go", async () => {
  await using harness = await openTestRoot();
  const { store, root } = harness;
  await store.put(nameOf(1, "ours"), bytesOf(1));
  await store.remove(nameOf(1, "ours"));
  Deno.mkdirSync(`${root}/theirs`);
  Deno.chmodSync(`${root}/theirs`, 0o755);
  Deno.mkdirSync(`${root}/away`);
  Deno.symlinkSync(`${root}/away`, `${root}/link`);
  for (const namespace of ["ours", "theirs", "link"]) {
    const isGone = await store.removeEmpty(namespace, { ours: true });
    assert.equal(isGone, namespace === "ours", namespace);
  }
  assert.equal(await store.removeEmpty("link"), false);
  assert.deepEqual(folders(root), ["away", "link", "theirs"]);
  assert.equal(await store.removeEmpty("theirs"), true, "it was a namespace");
});

for (const durability of ["relaxed", "strict"] as const) {
  Deno.test(`a value comes into a folder that is being removed, ${durability}`, async () => {
    await using harness = await openTestRoot({ workers: 4, durability });
    const { store } = harness;
    let again = 0;
    for (let i = 0; i < 100; i++) {
      const staging = `s${i}`;
      harness.stage(staging, bytesOf(5));
      await store.local.capture(staging);
      const [first, second] = [nameOf(2 * i), nameOf(2 * i + 1)];
      const [gone] = await Promise.all([
        store.removeEmpty("space.one"),
        store.put(first, bytesOf(5)),
        store.removeEmpty("space.one"),
        store.local.install(staging, second),
        store.removeEmpty("space.one"),
      ]);
      if (gone) again++;
      await Promise.all([store.remove(first), store.remove(second)]);
    }
    assert(again > 0, "folders were removed");
  });
}
